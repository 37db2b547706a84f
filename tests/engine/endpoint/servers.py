"""Whole answers in the bytes of real servers, each with what must come of it.

Taken from fixtures, recorded traffic and issue reports of the servers named: the facts, in words of our own.
"""

from __future__ import annotations

from tests.engine.endpoint.shapes import Whole, body, call, chunk, sse
from toolkit.engine.model import Usage

__all__ = ["WHOLE"]

SEOUL, OSLO = '{"city":"Seoul"}', '{"city":"Oslo"}'
STOP = chunk({}, "stop")
CALLED = chunk({}, "tool_calls")
ROLE = chunk({"role": "assistant", "content": ""})
FILTER = {"hate": {"filtered": False, "severity": "safe"}}
COUNTS = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}

WHOLE = [
    Whole(
        "OpenAI: text, then usage",
        sse(
            chunk({"role": "assistant", "content": "", "refusal": None}, service_tier="default", obfuscation="Xy"),
            chunk({"content": "Grüße, "}, logprobs=None, obfuscation="abc"),
            chunk({"content": "東京 🌧"}),
            chunk({}, "stop"),
            {"choices": [], "usage": {**COUNTS, "prompt_tokens_details": {"cached_tokens": 2}}},
        ),
        "Grüße, 東京 🌧",
        usage=Usage(9, 4, {"cached_tokens": 2}),
    ),
    Whole(
        "OpenAI: parallel calls in pieces",
        sse(
            chunk({"role": "assistant", "content": None}),
            chunk(call("", "weather", "call_a", 0)),
            chunk(call('{"ci', index=0)),
            chunk(call('ty":"Seoul"}', index=0)),
            chunk(call("", "rain", "call_b", 1)),
            chunk(call('{"city":"Oslo"}', index=1)),
            CALLED,
        ),
        calls=(("call_a", "weather", SEOUL), ("call_b", "rain", OSLO)),
    ),
    Whole("OpenAI: refusal", sse(ROLE, chunk({"refusal": "I can"}), chunk({"refusal": "not."}), STOP), "I cannot."),
    Whole(
        "Azure: filter results before, among and after",
        sse(
            {"choices": [], "created": 0, "id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]},
            chunk({"content": "Hello"}),
            chunk({}, "stop"),
            {
                "id": "",
                "created": 0,
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": None,
                        "content_filter_results": FILTER,
                        "content_filter_offsets": {"check_offset": 44, "start_offset": 44, "end_offset": 198},
                    }
                ],
                "usage": None,
            },
        ),
        "Hello",
    ),
    Whole(
        "Azure: the filter stops an answer",
        sse(chunk({"content": "So"}), chunk({}, "content_filter")),
        "So",
        reason="content_filter",
    ),
    Whole(
        "vLLM: running totals of usage",
        sse(
            chunk({"role": "assistant", "content": ""}, usage={"prompt_tokens": 9, "completion_tokens": 0}),
            chunk({"content": "Hel"}, usage={"prompt_tokens": 9, "completion_tokens": 2}),
            chunk({"content": "lo"}, "stop", usage={"prompt_tokens": 9, "completion_tokens": 4}),
            {"choices": [], "usage": COUNTS},
        ),
        "Hello",
        usage=Usage(9, 4),
    ),
    Whole(
        "vLLM: reasoning, then a call",
        sse(
            chunk({"role": "assistant", "content": "", "reasoning_content": None}),
            chunk({"reasoning_content": "The city "}),
            chunk({"reasoning_content": "is Seoul."}),
            chunk(call(None, "weather", "chatcmpl-tool-1f", 0)),
            chunk(call('{"city":', index=0)),
            chunk(call('"Seoul"}', index=0)),
            chunk({"content": ""}, "tool_calls", stop_reason=None),
        ),
        calls=(("chatcmpl-tool-1f", "weather", SEOUL),),
        back={"reasoning_content": "The city is Seoul."},
    ),
    Whole(
        "LMDeploy: every call has index 0, '' for no id",
        sse(
            chunk(call("", "weather", "chatcmpl-tool-a", 0)),
            chunk(call(SEOUL, None, "", 0)),
            chunk(call("", "weather", "chatcmpl-tool-b", 0)),
            chunk(call(OSLO, None, "", 0)),
            CALLED,
        ),
        calls=(("chatcmpl-tool-a", "weather", SEOUL), ("chatcmpl-tool-b", "weather", OSLO)),
    ),
    Whole(
        "SGLang: index 0 and ids that count",
        sse(
            chunk(call("", "weather", "0", 0)),
            chunk(call(SEOUL, None, "0", 0)),
            chunk(call("", "rain", "1", 0)),
            chunk(call(OSLO, None, "1", 0)),
            chunk({}, "stop"),
        ),
        calls=(("0", "weather", SEOUL), ("1", "rain", OSLO)),
    ),
    Whole(
        "Ollama: whole calls, all of index 0",
        sse(
            chunk({"role": "assistant", "content": "", **call(SEOUL, "weather", "call_k1", 0)}),
            chunk({"role": "assistant", "content": "", **call(OSLO, "weather", "call_k2", 0)}),
            chunk({"role": "assistant", "content": ""}, "tool_calls"),
        ),
        calls=(("call_k1", "weather", SEOUL), ("call_k2", "weather", OSLO)),
    ),
    Whole(
        "llama.cpp: null content, timings at the end",
        sse(
            chunk({"role": "assistant", "content": None}),
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}),
            {**chunk({}, "stop"), "usage": COUNTS, "timings": {"prompt_n": 9, "predicted_ms": 3.5}},
        ),
        "Hello",
        usage=Usage(9, 4),
    ),
    Whole(
        "TGI before 3.1: one call, without a list",
        sse(
            chunk({"role": "assistant", "tool_calls": call("", "weather", "0", 0)["tool_calls"][0]}),
            chunk({"role": "assistant", "tool_calls": call(SEOUL, None, "", 0)["tool_calls"][0]}),
            chunk({"role": "assistant", "content": ""}, "eos_token"),
            done=False,
        ),
        calls=(("0", "weather", SEOUL),),
    ),
    Whole(
        "TGI: JSON with arguments that are an object",
        body({"role": "assistant", **call({"city": "Seoul"}, "weather", "0", description=None)}, "eos_token"),
        calls=(("0", "weather", SEOUL),),
    ),
    Whole(
        "Gemini: no index, an empty id, stop",
        sse({**chunk({"role": "assistant", **call(SEOUL, "weather", "")}, "stop"), "usage": COUNTS}),
        calls=((None, "weather", SEOUL),),
        usage=Usage(9, 4),
    ),
    Whole(
        "Gemini: calls with the function's name for an id, a signature to send back",
        sse(
            chunk({"role": "assistant", **call(SEOUL, "weather", "weather", extra_content={"google": {"s": "x"}})}),
            chunk({"role": "assistant", **call(OSLO, "weather", "weather")}),
            STOP,
        ),
        calls=(("weather", "weather", SEOUL), (None, "weather", OSLO)),
    ),
    Whole(
        "Vertex: JSON, text in parts beside calls of one id",
        body(
            {
                "content": [{"text": "One ", "type": "text"}, {"text": "moment.", "type": "text"}],
                "role": "assistant",
                "tool_calls": [
                    call(SEOUL, "rain", "rain")["tool_calls"][0],
                    call(OSLO, "rain", "rain")["tool_calls"][0],
                ],
            }
        ),
        "One moment.",
        (("rain", "rain", SEOUL), (None, "rain", OSLO)),
    ),
    Whole(
        "Mistral: a whole call with the end",
        sse(ROLE, {**chunk({"content": "", **call(SEOUL, "weather", "D681PevKs", 0)}, "tool_calls"), "usage": COUNTS}),
        calls=(("D681PevKs", "weather", SEOUL),),
        usage=Usage(9, 4),
    ),
    Whole(
        "Mistral: thinking in parts",
        sse(
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]}),
            chunk({"content": [{"type": "text", "text": "Hel"}]}),
            chunk({"content": "lo"}, "stop"),
        ),
        "Hello",
    ),
    Whole(
        "OpenRouter: comments, reasoning with a signature",
        sse(
            ": OPENROUTER PROCESSING",
            "data: : OPENROUTER PROCESSING",
            chunk(
                {
                    "content": "",
                    "reasoning": "I",
                    "reasoning_details": [{"type": "reasoning.text", "text": "I", "index": 0}],
                }
            ),
            chunk({"reasoning": "f", "reasoning_details": [{"type": "reasoning.text", "text": "f", "index": 0}]}),
            chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "s==", "index": 0}]}),
            chunk({"content": "Hello"}, provider="P"),
            {**chunk({"content": ""}, "stop"), "native_finish_reason": "end_turn"},
            {**chunk({"content": ""}), "usage": {**COUNTS, "cost": 0.001}},
        ),
        "Hello",
        usage=Usage(9, 4),
        back={"reasoning_details": [{"type": "reasoning.text", "text": "If", "index": 0, "signature": "s=="}]},
    ),
    Whole(
        "DeepSeek: keep-alive lines, reasoning first",
        sse(
            ": keep-alive",
            "",
            chunk({"role": "assistant", "content": None, "reasoning_content": ""}),
            chunk({"content": None, "reasoning_content": "Hm."}),
            chunk({"content": "Hello", "reasoning_content": None}),
            {**chunk({"content": "", "reasoning_content": None}, "stop"), "usage": COUNTS},
        ),
        "Hello",
        usage=Usage(9, 4),
        back={"reasoning_content": "Hm."},
    ),
    Whole(
        "Groq: usage in x_groq",
        sse(ROLE, chunk({"content": "Hello"}), {**chunk({}, "stop"), "x_groq": {"id": "req_1", "usage": COUNTS}}),
        "Hello",
        usage=Usage(9, 4),
    ),
    Whole(
        "Kimi: ids that count, usage in the choice",
        sse(
            chunk(call("", "weather", "functions.weather:0", 0)),
            chunk(call(SEOUL, index=0)),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls", "usage": COUNTS}]},
        ),
        calls=(("functions.weather:0", "weather", SEOUL),),
        usage=Usage(9, 4),
    ),
    Whole(
        "Perplexity: the message so far beside each delta",
        sse(
            {
                "choices": [
                    {"index": 0, "delta": {"content": "Hel"}, "message": {"content": "Hel"}, "finish_reason": None}
                ]
            },
            {
                "choices": [
                    {"index": 0, "delta": {"content": "lo"}, "message": {"content": "Hello"}, "finish_reason": None}
                ]
            },
            {
                "choices": [{"delta": {"content": ""}, "message": {"content": "Hello"}, "finish_reason": "stop"}],
                "citations": ["https://example.com"],
                "usage": COUNTS,
            },
            done=False,
        ),
        "Hello",
        usage=Usage(9, 4),
    ),
    Whole(
        "Bedrock gateway: CRLF, no blank, end_turn",
        sse(
            {"id": None, "created": 1.5, "model": "", "choices": [{"delta": {"content": "Hello"}}]},
            {"choices": [{"delta": {}, "finish_reason": "end_turn"}]},
            data="data:",
            end="\r\n\r\n",
        ),
        "Hello",
    ),
    Whole(
        "old proxies: CR line ends, event and id and retry",
        sse(
            "retry: 3000",
            "id: 1",
            ROLE,
            'event: message\rid: 2\rdata: {"choices":[{"delta":{"content":"Hello"}}]}',
            STOP,
            end="\r\r",
        ),
        "Hello",
    ),
    Whole(
        "pretty-printed JSON over several data lines",
        b'data: {"choices": [\ndata: {"delta": {"content": "Hello"},\ndata: "finish_reason": "stop"}\ndata: ]}\n\n',
        "Hello",
    ),
    Whole("the least there can be", b'data:{"choices":[{"delta":{"content":"Hello"}}]}\n\ndata:[DONE]', "Hello"),
    Whole(
        "a byte order mark, no last newline",
        b"\xef\xbb\xbf" + sse(chunk({"content": "Hello"}, "stop"), done=False)[:-2],
        "Hello",
    ),
    Whole(
        "JSON where a stream was asked for",
        body({"role": "assistant", "content": "Hello"}, usage=COUNTS),
        "Hello",
        usage=Usage(9, 4),
    ),
    Whole("JSON behind blank lines", b"\n\n   \n" + body({"content": "Hello"}), "Hello"),
    Whole(
        "OCI, Poolside: the id changes with each piece",
        sse(
            chunk(call('{"city"', "weather", "call_1", 0)),
            chunk(call(':"Seo', None, "call_2", 0)),
            chunk(call('ul"}', None, "call_3")),
            CALLED,
        ),
        calls=(("call_1", "weather", SEOUL),),
    ),
    Whole(
        "a name with each piece",
        sse(
            chunk(call("{", "weather", "call_1", 0)),
            chunk(call('"city":"Seoul"', "weather", "call_1", 0)),
            chunk(call("}", "weather", "call_1", 0)),
            CALLED,
        ),
        calls=(("call_1", "weather", SEOUL),),
    ),
    Whole(
        "a placeholder before the arguments, null for none",
        sse(
            chunk(call("{}", "weather", "call_1", 0)),
            chunk(call(SEOUL, index=0)),
            chunk(call("null", "now", "call_2", 1)),
            chunk({"content": None, "tool_calls": None, "function_call": {"name": "", "arguments": ""}}, "tool_calls"),
        ),
        calls=(("call_1", "weather", SEOUL), ("call_2", "now", "{}")),
    ),
    Whole(
        "a call told once more at the end",
        sse(
            chunk(call("", "weather", "call_1", 0)),
            chunk(call(SEOUL, index=0)),
            chunk(call('{"city": "Seoul"}', "weather", "call_1", 0), "tool_calls"),
        ),
        calls=(("call_1", "weather", SEOUL),),
    ),
    Whole(
        "one function called twice, without ids or indexes",
        sse(chunk(call(SEOUL, "weather")), chunk(call(OSLO, "weather")), STOP),
        calls=((None, "weather", SEOUL), (None, "weather", OSLO)),
    ),
    Whole(
        "arguments that are no JSON",
        sse(chunk(call('{"city": Seoul', "weather", "c", 0)), CALLED),
        calls=(("c", "weather", '{"city": Seoul'),),
    ),
    Whole(
        "a call written as text",
        sse(chunk({"content": '<tool_call>{"name":"weather"}</tool_call>'}), STOP),
        '<tool_call>{"name":"weather"}</tool_call>',
    ),
    Whole("an end without a reason", sse(ROLE, chunk({"content": "Hello"}), chunk({}, "")), "Hello"),
    Whole("a reason without an end", sse(ROLE, chunk({"content": "Hello"}), chunk(None, "stop"), done=False), "Hello"),
    Whole(
        "tool_calls without any", sse(chunk({"content": "Hello", "tool_calls": []}), chunk({}, "tool_calls")), "Hello"
    ),
    Whole(
        "cut by length, in the middle of a call",
        sse(chunk({"content": "So "}), chunk(call('{"ci', "weather", "call_1", 0)), chunk({}, "length")),
        "So ",
        reason="length",
    ),
]
