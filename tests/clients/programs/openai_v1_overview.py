"""A tour of the Assistants API as programs of 2023 made it: a tutor, its files, retrieval, a quiz.

For openai before 1.21. It knows nothing of the engine: base URL and key come from the environment. It prints what it
saw, as JSON.
"""

import json
import time

from openai import OpenAI

QUIZ = {
    "name": "display_quiz",
    "description": "Displays a quiz to the student, and returns the student's responses.",
    "parameters": {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "questions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "question_text": {"type": "string"},
                        "question_type": {"type": "string", "enum": ["MULTIPLE_CHOICE", "FREE_RESPONSE"]},
                    },
                    "required": ["question_text"],
                },
            },
        },
        "required": ["title", "questions"],
    },
}

client = OpenAI()
beta = client.beta
saw = {}


def submit_message(assistant_id, thread, text, **more):
    beta.threads.messages.create(thread_id=thread.id, role="user", content=text, **more)
    return beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant_id)


def wait_on_run(run, thread):
    while run.status in ("queued", "in_progress"):
        run = beta.threads.runs.retrieve(thread_id=thread.id, run_id=run.id)
        time.sleep(0.05)
    return run


# A tutor without tools, on several threads at once

tutor = beta.assistants.create(
    name="Math Tutor",
    instructions="You are a personal math tutor. Answer questions briefly, in a sentence or less.",
    model="gpt-4-1106-preview",
)
threads = [beta.threads.create() for _ in range(3)]
runs = [submit_message(tutor.id, thread, f"I need to solve {n}x + 11 = 14.") for n, thread in enumerate(threads)]
ends = [wait_on_run(run, thread) for run, thread in zip(runs, threads, strict=True)]
messages = [beta.threads.messages.list(thread_id=thread.id, order="asc") for thread in threads]
saw["tutor"] = [tutor.tools, tutor.file_ids]
saw["statuses"] = [run.status for run in ends]
saw["said"] = [[message.role for message in page] for page in messages]
saw["run"] = [ends[0].file_ids, ends[0].tools]

# Its files

first = client.files.create(file=("triangles.txt", b"A triangle has three sides."), purpose="assistants")
second = client.files.create(file=("notes.txt", b"The tutor likes primes."), purpose="assistants")
names = {first.id: "first", second.id: "second"}
tutor = beta.assistants.update(tutor.id, tools=[{"type": "code_interpreter"}], file_ids=[first.id])
saw["code"] = [[tool.type for tool in tutor.tools], [names[id] for id in tutor.file_ids], first.status]
tutor = beta.assistants.update(
    tutor.id, tools=[{"type": "code_interpreter"}, {"type": "retrieval"}], file_ids=[first.id, second.id]
)
saw["retrieval"] = [[tool.type for tool in tutor.tools], [names[id] for id in tutor.file_ids]]
saw["files"] = [names[file.id] for file in beta.assistants.files.list(tutor.id, order="asc", limit=1)]
attached = beta.assistants.files.retrieve(second.id, assistant_id=tutor.id)
saw["file"] = [attached.object, attached.assistant_id == tutor.id, attached.created_at > 0]
gone = beta.assistants.files.delete(first.id, assistant_id=tutor.id)
saw["gone"] = [gone.object, gone.deleted, [names[file.id] for file in beta.assistants.files.list(tutor.id)]]
back = beta.assistants.files.create(tutor.id, file_id=first.id)
saw["back"] = [back.object, [names[id] for id in beta.assistants.retrieve(tutor.id).file_ids]]
saw["listed"] = [[names[id] for id in one.file_ids] for one in beta.assistants.list(limit=1, order="desc").data]

# Files of messages

thread = beta.threads.create(messages=[{"role": "user", "content": "Read this.", "file_ids": [second.id]}])
message = beta.threads.messages.create(
    thread.id, role="user", content="Which numbers does the tutor like?", file_ids=[first.id, second.id]
)
page = beta.threads.messages.list(thread.id, order="asc")
saw["messages"] = [[names[id] for id in each.file_ids] for each in page]
files = beta.threads.messages.files
saw["message files"] = [names[file.id] for file in files.list(message.id, thread_id=thread.id)]
file = files.retrieve(first.id, thread_id=thread.id, message_id=message.id)
saw["message file"] = [file.object, file.message_id == message.id, file.created_at == message.created_at]
coding = beta.threads.create(messages=[{"role": "user", "content": "Run this:\n```python\nprint(6 * 7)\n```"}])
run = wait_on_run(beta.threads.runs.create(thread_id=coding.id, assistant_id=tutor.id), coding)
steps = beta.threads.runs.steps.list(thread_id=coding.id, run_id=run.id, order="asc").data
saw["ran"] = [run.status, steps[0].step_details.tool_calls[0].code_interpreter.outputs[0].logs]
run = beta.threads.runs.create(thread_id=thread.id, assistant_id=tutor.id, tools=[{"type": "retrieval"}])
run = wait_on_run(run, thread)
saw["search"] = [run.status, [tool.type for tool in run.tools]]
steps = beta.threads.runs.steps.list(thread_id=thread.id, run_id=run.id, order="asc").data
saw["searched"] = [call.type for call in steps[0].step_details.tool_calls]
text = beta.threads.messages.list(thread_id=thread.id, limit=1).data[0].content[0].text
cited = text.annotations[0]
saw["cited"] = [names[cited.file_citation.file_id], cited.file_citation.quote, cited.text in text.value]

# A quiz, answered by a function of ours

tutor = beta.assistants.update(tutor.id, tools=[{"type": "function", "function": QUIZ}])
thread = beta.threads.create()
run = wait_on_run(submit_message(tutor.id, thread, 'Make a quiz "Primes" with one question: "Is 7 prime?".'), thread)
calls = run.required_action.submit_tool_outputs.tool_calls
saw["quiz"] = [run.status, sorted({call.function.name for call in calls}), "Primes" in calls[0].function.arguments]
outputs = [{"tool_call_id": call.id, "output": json.dumps(["I don't know."])} for call in calls]
run = beta.threads.runs.submit_tool_outputs(thread_id=thread.id, run_id=run.id, tool_outputs=outputs)
run = wait_on_run(run, thread)
steps = beta.threads.runs.steps.list(thread_id=thread.id, run_id=run.id, order="asc")
saw["steps"] = [run.status, [step.step_details.type for step in steps]]

# A thread with its run, and the end

run = beta.threads.create_and_run(
    assistant_id=tutor.id, thread={"messages": [{"role": "user", "content": "Hi", "file_ids": [second.id]}]}, tools=[]
)
[first_message] = beta.threads.messages.list(run.thread_id, order="asc", limit=1).data
saw["at once"] = [wait_on_run(run, beta.threads.retrieve(run.thread_id)).status, len(first_message.file_ids)]
saw["deleted"] = [beta.assistants.delete(tutor.id).deleted, beta.threads.delete(thread.id).deleted]
for fact in saw.items():
    print(json.dumps(fact))
