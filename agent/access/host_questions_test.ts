import assert from "node:assert/strict";
import { until } from "../../ffi/testing.ts";
import { setLogLevel } from "../log.ts";
import { HostQuestions } from "./host_questions.ts";

setLogLevel("error");

/** Holds its thread, as a module of PAM does, until the test lets it go by a file's end. */
const holding = (path: string) =>
  `data:text/javascript,${
    encodeURIComponent(`onmessage = () => {
      for (;;) {
        try { Deno.statSync(${JSON.stringify(path)}); } catch { break; }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
      postMessage({ answer: { kind: "no", reason: "late" } });
    };`)
  }`;

Deno.test("HostQuestions.ask() bounds the threads that hang, and takes questions again when they are back", async () => {
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  const questions = new HostQuestions(holding(file), 50);
  const question = { service: "none", user: "ann", password: "x", address: "" };
  try {
    const late = await Promise.allSettled(Array.from({ length: 4 }, () => questions.ask(question)));
    for (const each of late) {
      assert.match(String(each.status === "rejected" && each.reason), /did not answer within 0\.05 s/);
    }
    assert.equal(questions.threads, 4, "they are given up, but still there");
    await assert.rejects(questions.ask(question), { code: "TooManyRequests" });
  } finally {
    await Deno.remove(file);
  }
  await until("the threads are back", () => questions.threads === 0, 120_000);
});

Deno.test("HostQuestions.ask() gives the place back when the worker fails", async () => {
  const failing = `data:text/javascript,${
    encodeURIComponent("onmessage = () => { throw new Error('broken'); };")
  }`;
  const questions = new HostQuestions(failing, 120_000);
  await assert.rejects(questions.ask({ service: "none", user: "ann", password: "x", address: "" }), /broken/);
  assert.equal(questions.threads, 0);
});
