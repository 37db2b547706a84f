// A route as web pages with useAssistant have it: the AI SDK of Vercel forwards streams of the openai package.

import { AssistantResponse } from 'ai';
import OpenAI from 'openai';

const openai = new OpenAI();
const WEATHER = {
  type: 'function',
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};
const weather = { Seoul: '21 degrees', Oslo: '9 degrees' };
const tell = (name, value) => console.log(JSON.stringify([name, value]));
const assistant = await openai.beta.assistants.create({ model: 'gpt-4o', tools: [WEATHER] });

async function POST({ threadId, message }) {
  threadId ??= (await openai.beta.threads.create({})).id;
  const created = await openai.beta.threads.messages.create(threadId, { role: 'user', content: message });
  return AssistantResponse({ threadId, messageId: created.id }, async ({ forwardStream, sendDataMessage }) => {
    let run = await forwardStream(openai.beta.threads.runs.stream(threadId, { assistant_id: assistant.id }));
    while (run?.status === 'requires_action') {
      const calls = run.required_action.submit_tool_outputs.tool_calls;
      const tool_outputs = calls.map((call) => ({
        tool_call_id: call.id,
        output: weather[JSON.parse(call.function.arguments).city],
      }));
      sendDataMessage({ role: 'data', data: { calls: calls.length } });
      run = await forwardStream(openai.beta.threads.runs.submitToolOutputsStream(threadId, run.id, { tool_outputs }));
    }
  });
}

// The lines of the SDK's own protocol: a code, a colon, JSON.
async function asked(request) {
  const lines = (await (await POST(request)).text()).trim().split('\n');
  return lines.map((line) => [line[0], JSON.parse(line.slice(2))]);
}

const first = await asked({ message: 'Hello there' });
const [, { threadId }] = first[0];
tell('codes', [...new Set(first.map(([code]) => code))].join(''));
const said = (parts) => parts.filter(([code]) => code === '0').map(([, text]) => text).join('');
tell('answer', said(first));
const second = await asked({ threadId, message: 'The weather in Seoul and Oslo?' });
tell('answer with calls', said(second));
tell('data', second.filter(([code]) => code === '6').map(([, message]) => message.data));
tell('errors', [...first, ...second].filter(([code]) => code === '3'));
