// The same tour as openai_tour.py, as users of the openai package of npm write it; version 4, and 5 or later.
// Each line it prints is one fact: [name, value].

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import OpenAI, { AzureOpenAI, toFile } from 'openai';

const client = process.env.AZURE_OPENAI_ENDPOINT ? new AzureOpenAI() : new OpenAI();
const { assistants, threads } = client.beta;
const { messages, runs } = threads;
const OLD = !('delete' in assistants); // version 4
const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489' +
    '0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082',
  'hex',
);
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather in a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

// Version 4 takes the ids from the outside in, later ones the last id and the others by name.
const at = (thread, id, body = {}) => (OLD ? [thread, id, body] : [id, { thread_id: thread, ...body }]);
const remove = (resource, ...ids) => (OLD ? resource.del(...ids) : resource.delete(...ids));
const tell = (name, value) => console.log(JSON.stringify([name, value]));
const text = (message) => message.content.map((part) => (part.type === 'text' ? part.text.value : '')).join('');
const get_weather = ({ city }) => ({ Seoul: '21 degrees', Oslo: '9 degrees' })[city];
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const newest = async (thread) => (await messages.list(thread, { limit: 1 })).data[0];
const ask = (thread, question) => messages.create(thread, { role: 'user', content: question });
const submit = (run, given) => runs.submitToolOutputs(...at(run.thread_id, run.id, { tool_outputs: given }));

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

function outputs(run) {
  const calls = run.required_action.submit_tool_outputs.tool_calls;
  return calls.map((call) => ({ tool_call_id: call.id, output: get_weather(JSON.parse(call.function.arguments)) }));
}

async function refused(call) {
  try {
    await call();
  } catch (error) {
    assert(error instanceof OpenAI.APIError);
    const id = error.requestID ?? error.request_id;
    return [error.constructor.name, error.status, error.error.message, error.param, Boolean(id)];
  }
  return null;
}

async function ofThreads() {
  const thread = await threads.create({
    messages: [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
    ],
    metadata: { user: 'ada' },
  });
  tell('thread made', [thread.object, thread.metadata]);
  await threads.update(thread.id, { metadata: { user: 'bob' } });
  tell('thread read', (await threads.retrieve(thread.id)).metadata);
  for (const content of ['three', 'four', 'five']) {
    await messages.create(thread.id, { role: 'user', content, metadata: { number: content } });
  }
  tell('messages', (await all(messages.list(thread.id, { limit: 2, order: 'asc' }))).map(text));
  const page = await messages.list(thread.id, { limit: 2 });
  tell('messages, newest', page.data.map(text));
  tell('messages, next page', (await page.getNextPage()).data.map(text));
  tell('messages before', (await all(messages.list(thread.id, { before: page.data[1].id }))).map(text));
  const changed = await messages.update(...at(thread.id, page.data[0].id, { metadata: { seen: 'yes' } }));
  const read = await messages.retrieve(...at(thread.id, changed.id));
  tell('message changed', [changed.metadata, same(read, changed)]);
  const made = await messages.create(thread.id, {
    role: 'user',
    content: [
      { type: 'text', text: 'six' },
      { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
    ],
  });
  tell('message of parts', made.content.map((part) => part.type));
  tell('message deleted', (await remove(messages, ...at(thread.id, made.id))).deleted);
  tell('messages left', (await all(messages.list(thread.id))).map(text));
  tell('thread deleted', (await remove(threads, thread.id)).deleted);
}

async function ofAssistants() {
  const made = await assistants.create({
    model: 'gpt-4o',
    name: 'Weather',
    description: 'Knows the weather.',
    instructions: 'Be brief.',
    tools: [WEATHER, { type: 'code_interpreter' }, { type: 'file_search' }],
    temperature: 0.5,
    metadata: { team: 'sky' },
  });
  tell('assistant made', [made.object, made.model, made.name, made.description, made.instructions, made.temperature]);
  tell('assistant tools', made.tools.map((tool) => tool.type));
  const change = { name: 'Skies', tools: [WEATHER], metadata: { team: 'sea' } };
  const changed = await assistants.update(made.id, change);
  tell('assistant changed', [changed.name, changed.tools.length, changed.metadata, changed.instructions]);
  tell('assistant read', same(await assistants.retrieve(made.id), changed));
  for (const number of [0, 1, 2, 3]) await assistants.create({ model: 'gpt-4o', name: `Other ${number}` });
  tell('assistants', (await all(assistants.list({ limit: 2 }))).map((one) => one.name));
  const page = await assistants.list({ limit: 2, order: 'asc' });
  tell('assistants, next page', (await all(await page.getNextPage())).map((one) => one.name));
  for await (const other of assistants.list()) {
    if (other.id !== made.id) assert((await remove(assistants, other.id)).deleted);
  }
  tell('assistants left', (await all(assistants.list())).map((one) => one.name));
  return made;
}

async function polled(assistant_id) {
  const thread = await threads.create();
  await ask(thread.id, 'Hello there');
  let run = await runs.createAndPoll(thread.id, {
    assistant_id,
    additional_instructions: 'Be kind.',
    temperature: 0.1,
    metadata: { round: '1' },
  });
  tell('run', [run.status, run.model, run.instructions, run.temperature, run.metadata, run.usage.total_tokens]);
  const [answer, question] = (await messages.list(thread.id)).data;
  tell('answer', [text(answer), answer.role, answer.run_id === run.id, answer.created_at > question.created_at]);
  tell('run changed', (await runs.update(...at(thread.id, run.id, { metadata: { round: 'one' } }))).metadata);
  tell('runs', (await all(runs.list(thread.id))).map((one) => one.id === run.id));

  const asked = { messages: [{ role: 'user', content: 'The weather in Seoul and Oslo?' }] };
  run = await threads.createAndRunPoll({ assistant_id, thread: asked });
  const calls = run.required_action.submit_tool_outputs.tool_calls.map((call) => call.function);
  tell('run waits', [run.status, calls.map((call) => [call.name, JSON.parse(call.arguments)])]);
  tell('outputs missing', (await refused(() => submit(run, outputs(run).slice(0, 1)))).slice(0, 2));
  tell('message refused', (await refused(() => ask(run.thread_id, 'Well?'))).slice(0, 2));
  const given = { tool_outputs: outputs(run) };
  const done = await runs.submitToolOutputsAndPoll(...at(run.thread_id, run.id, given));
  tell('run done', [done.status, done.usage.total_tokens, text(await newest(run.thread_id))]);
  tell('outputs twice', (await refused(() => submit(run, outputs(run)))).slice(0, 2));
  const steps = await all(runs.steps.list(...at(run.thread_id, run.id, { order: 'asc' })));
  tell('steps', steps.map((step) => [step.type, step.status, Boolean(step.completed_at)]));
  tell('outputs kept', steps[0].step_details.tool_calls.map((call) => call.function.output));
  const ids = OLD
    ? [run.thread_id, run.id, steps[1].id]
    : [steps[1].id, { thread_id: run.thread_id, run_id: run.id }];
  const step = await runs.steps.retrieve(...ids);
  const message_id = step.step_details.message_creation.message_id;
  tell('message of step', message_id === (await newest(run.thread_id)).id);
}

// Follows a stream to its end, and answers calls while the stream that asked is still open.
async function followed(stream) {
  const told = { seen: [], text: '', arguments: '', then: null };
  stream
    .on('event', ({ event, data }) => {
      const name = event.replace('thread.', '');
      if (told.seen.at(-1) !== name) told.seen.push(name); // deltas come in any number
      if (event === 'thread.run.requires_action') {
        const given = { tool_outputs: outputs(data) };
        told.then = followed(runs.submitToolOutputsStream(...at(data.thread_id, data.id, given)));
      }
    })
    .on('textDelta', (delta) => (told.text += delta.value))
    .on('toolCallDelta', (delta) => (told.arguments += delta.function.arguments ?? ''))
    .on('end', () => told.seen.push('end'));
  await stream.done();
  if (told.then) {
    const then = await told.then;
    told.text += then.text;
    told.seen = [...told.seen.slice(0, -1), '--', ...then.seen, 'end'];
  }
  return told;
}

async function streamed(assistant_id) {
  const thread = await threads.create({ messages: [{ role: 'user', content: 'Hello there' }] });
  let stream = runs.stream(thread.id, { assistant_id });
  let told = await followed(stream);
  tell('events', told.seen);
  const said = (await stream.finalMessages()).map(text);
  tell('streamed', [told.text, said, (await stream.finalRun()).status]);
  tell('final steps', (await stream.finalRunSteps()).map((step) => step.type));

  await ask(thread.id, 'The weather in Seoul and Oslo?');
  told = await followed(runs.stream(thread.id, { assistant_id }));
  tell('events of calls', told.seen);
  tell('streamed with calls', [told.text, text(await newest(thread.id))]);
  tell('arguments streamed', told.arguments);

  await ask(thread.id, 'The weather in Oslo?');
  let events = await all(await runs.create(thread.id, { assistant_id, stream: true }));
  tell('raw events', [events[0].event, events.at(-1).event]);
  const given = { tool_outputs: outputs(events.at(-1).data), stream: true };
  events = await all(await runs.submitToolOutputs(...at(thread.id, events.at(-1).data.id, given)));
  tell('raw events at last', [events.at(-1).event, events.at(-1).data.status]);

  const asked = { messages: [{ role: 'user', content: 'Hi' }] };
  stream = threads.createAndRunStream({ assistant_id, thread: asked });
  told = await followed(stream);
  tell('thread made along', [told.text, (await stream.finalRun()).status]);
}

async function cancelled(assistant_id) {
  const thread = await threads.create({ messages: [{ role: 'user', content: 'Answer slowly' }] });
  const stream = runs.stream(thread.id, { assistant_id });
  let cancelling;
  stream.on('textDelta', () => (cancelling = runs.cancel(...at(thread.id, stream.currentRun().id))));
  await stream.done();
  const run = await cancelling;
  tell('cancelled', [['cancelled', 'cancelling'].includes(run.status), (await stream.finalRun()).status]);
  tell('cancelled twice', (await refused(() => runs.cancel(...at(thread.id, run.id)))).slice(0, 3));
  await ask(thread.id, 'Hello again');
  const again = await runs.createAndPoll(thread.id, { assistant_id });
  tell('free again', [again.status, text(await newest(thread.id))]);
}

async function ofFiles(assistant_id) {
  const made = await client.files.create({ file: await toFile(Buffer.from('Some notes.'), 'notes.txt'), purpose: 'assistants' });
  tell('file', [made.object, made.filename, made.bytes, made.purpose, made.status]);
  tell('file processed', (await client.files.waitForProcessing(made.id)).id === made.id);
  tell('files', (await all(client.files.list({ purpose: 'assistants' }))).map((one) => one.filename));
  tell('content', await (await client.files.content(made.id)).text());
  let content = '';
  for await (const chunk of (await client.files.content(made.id)).body) content += Buffer.from(chunk).toString();
  tell('content, streamed', content);
  const picture = await client.files.create({ file: await toFile(PNG, 'dot.png'), purpose: 'vision' });
  const thread = await threads.create({
    messages: [
      {
        role: 'user',
        content: [{ type: 'image_file', image_file: { file_id: picture.id } }],
        attachments: [{ file_id: made.id, tools: [{ type: 'code_interpreter' }] }],
      },
    ],
  });
  const message = await newest(thread.id);
  tell('attachments', message.attachments.map((one) => one.file_id === made.id));
  tell('files of thread', same(thread.tool_resources.code_interpreter.file_ids, [made.id]));
  await runs.createAndPoll(thread.id, { assistant_id, tools: [] });
  tell('picture seen', text(await newest(thread.id)));
  tell('file deleted', (await remove(client.files, made.id)).deleted);
  tell('file gone', (await refused(() => client.files.retrieve(made.id))).slice(0, 2));
}

async function ofUploads() {
  const data = Buffer.from('0123456789'.repeat(10));
  const wanted = { bytes: 100, filename: 'ten.txt', mime_type: 'text/plain', purpose: 'assistants' };
  const upload = await client.uploads.create(wanted);
  const part_ids = [];
  for (const start of [0, 40, 80]) {
    const piece = await toFile(data.subarray(start, start + 40), 'part');
    part_ids.push((await client.uploads.parts.create(upload.id, { data: piece })).id);
  }
  const md5 = createHash('md5').update(data).digest('hex');
  const done = await client.uploads.complete(upload.id, { part_ids, md5 });
  tell('upload', [upload.status, done.status, done.file.filename, done.file.bytes]);
  const content = Buffer.from(await (await client.files.content(done.file.id)).arrayBuffer());
  tell('upload content', content.equals(data));
  const other = await client.uploads.create(wanted);
  tell('upload cancelled', (await client.uploads.cancel(other.id)).status);
}

async function ofVectorStores(assistant_id) {
  const stores = client.vectorStores;
  const made = { name: 'Notes', metadata: { kind: 'notes' }, expires_after: { anchor: 'last_active_at', days: 7 } };
  let store = await stores.create(made);
  tell('store', [store.object, store.name, store.metadata, store.file_counts.total, store.expires_after.days]);
  const file = (name, content) => toFile(Buffer.from(content), name);
  const in_store = (id, body = {}) => (OLD ? [store.id, id, body] : [id, { vector_store_id: store.id, ...body }]);
  const one = await stores.files.uploadAndPoll(store.id, await file('seoul.txt', 'Seoul is warm in summer.'));
  tell('store file', [one.status, one.vector_store_id === store.id, one.last_error]);
  const texts = await Promise.all([
    file('oslo.md', '# Oslo\n\nOslo is cold in winter.'),
    file('paris.txt', 'Paris is grey in November.'),
  ]);
  let batch = await stores.fileBatches.uploadAndPoll(store.id, { files: texts });
  tell('batch', [batch.status, batch.file_counts.completed, batch.file_counts.total]);
  tell('batch files', (await all(stores.fileBatches.listFiles(...in_store(batch.id, { limit: 1 })))).length);
  const more = async () => client.files.create({ file: await file('more.txt', 'More notes.'), purpose: 'assistants' });
  const files = [(await more()).id, (await more()).id];
  const chunking_strategy = { type: 'static', static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 50 } };
  const two = await stores.files.createAndPoll(store.id, { file_id: files[0], chunking_strategy });
  tell('store file from before', [two.status, same(two.chunking_strategy, chunking_strategy)]);
  batch = await stores.fileBatches.createAndPoll(store.id, { file_ids: files });
  tell('batch from before', [batch.status, batch.file_counts.completed]);
  const listed = await stores.files.list(store.id, { limit: 2, order: 'asc', filter: 'completed' });
  tell('store files', [listed.data.length, (await all(listed)).length]);
  store = await stores.retrieve(store.id);
  tell('store read', [store.status, store.file_counts.completed, store.usage_bytes > 0]);
  const search = async (body) => all(stores.search(store.id, body));
  const [found] = await search({ query: 'Where is it cold in winter?', max_num_results: 1 });
  tell('found', [found.filename, found.content[0].text.split('\n').at(-1), 0 < found.score && found.score <= 1]);
  await stores.files.update(...in_store(one.id, { attributes: { country: 'Korea' } }));
  const filters = { type: 'eq', key: 'country', value: 'Korea' };
  tell('found by attribute', (await search({ query: 'warm', filters })).map((result) => result.filename));
  tell('file content', (await all(stores.files.content(...in_store(one.id)))).map((part) => part.text));
  tell('store changed', (await stores.update(store.id, { name: 'Cities' })).name);
  tell('stores', (await all(stores.list())).map((other) => other.name));

  const tools = [{ type: 'file_search' }];
  const tool_resources = { file_search: { vector_store_ids: [store.id] } };
  const changed = await assistants.update(assistant_id, { tools, tool_resources });
  tell('store of assistant', same(changed.tool_resources, tool_resources));
  const attached = { role: 'user', content: 'See this', attachments: [{ file_id: files[0], tools }] };
  const thread = await threads.create({ messages: [attached] });
  const [along] = thread.tool_resources.file_search.vector_store_ids;
  tell('store of thread', (await all(stores.files.list(along))).map((other) => other.id === files[0]));
  const thread_asked = { messages: [{ role: 'user', content: 'Search where it is cold in winter' }] };
  let run = await threads.createAndRunPoll({ assistant_id, thread: thread_asked });
  let answer = await newest(run.thread_id);
  const [cited] = answer.content[0].text.annotations;
  tell('searched', [run.status, text(answer).replace(cited.text, '[1]')]);
  const { file_id, quote } = cited.file_citation;
  tell('cited', [(await client.files.retrieve(file_id)).filename, quote.trim()]);
  let step = (await all(runs.steps.list(...at(run.thread_id, run.id)))).at(-1);
  tell('search in steps', [step.type, step.step_details.tool_calls.map((call) => call.type)]);
  const include = ['step_details.tool_calls[*].file_search.results[*].content'];
  step = await (OLD
    ? runs.steps.retrieve(run.thread_id, run.id, step.id, { include })
    : runs.steps.retrieve(step.id, { thread_id: run.thread_id, run_id: run.id, include }));
  const [best] = step.step_details.tool_calls[0].file_search.results;
  tell('results in steps', [best.file_name, best.content[0].text.trim().split('\n').at(-1)]);
  const stream = threads.createAndRunStream({ assistant_id, thread: thread_asked });
  const told = await followed(stream);
  const [message] = await stream.finalMessages();
  tell('searched, streamed', [told.text === text(message), message.content[0].text.annotations.length]);
  tell('store file deleted', (await remove(stores.files, ...in_store(one.id))).deleted);
  tell('store deleted', (await remove(stores, store.id)).deleted);
  const left = await assistants.retrieve(assistant_id);
  tell('store of assistant, deleted', left.tool_resources.file_search.vector_store_ids);
  run = await threads.createAndRunPoll({ assistant_id, thread: thread_asked });
  answer = await newest(run.thread_id);
  tell('searched without a store', [run.status, text(answer)]);
  tell('store gone', (await refused(() => stores.retrieve(store.id))).slice(0, 2));
}

async function errors(assistant_id) {
  tell('no such assistant', await refused(() => assistants.retrieve('asst_none')));
  tell('no such thread', await refused(() => threads.retrieve('thread_none')));
  tell('wrong value', await refused(() => assistants.create({ model: 'm', temperature: 5 })));
  tell('unknown field', await refused(() => threads.create({ colour: 'red' })));
  tell('metadata too long', await refused(() => threads.create({ metadata: { k: 'x'.repeat(513) } })));
  const { data, response } = await threads.create().withResponse();
  const { headers } = response;
  tell('headers', [headers.get('openai-version'), headers.get('x-request-id').slice(0, 4), data.object]);
  tell('models', (await all(client.models.list())).map((model) => model.id));
  tell('assistant deleted', (await remove(assistants, assistant_id)).deleted);
}

await ofThreads();
const { id } = await ofAssistants();
await polled(id);
await streamed(id);
await cancelled(id);
await ofFiles(id);
await ofUploads();
await ofVectorStores(id);
await errors(id);
