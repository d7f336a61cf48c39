/** Answers of every command with whatever may be null being null, and whatever may be left out left out. */
import assert from "node:assert/strict";
import type { TSchema } from "typebox";
import { listenSocket } from "../../agent/http/server.ts";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { SAMPLES } from "../../lib/contract/testing.ts";
import { exampleOf, inputExample } from "../../lib/openapi/examples.ts";
import type { Terminal } from "../terminal.ts";
import { VERBS } from "./find.ts";
import { formatAnswer, OUTPUTS } from "./output.ts";
import { runVerb } from "./run.ts";

interface Node {
  readonly type?: string;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
}

/** The same schema, in which what may be null is. */
function nulled(node: Node): Node {
  if (node.anyOf?.some(({ type }) => type === "null")) return { type: "null" };
  const { items, properties } = node;
  return {
    ...node,
    ...(items && { items: nulled(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, nulled(part)])),
    }),
  };
}

const emptyAnswer = (output: TSchema, whole: boolean) =>
  exampleOf(nulled(output as Node) as TSchema, "", whole);

Deno.test("every answer is printed in every format with null where that is allowed, and without what may be left out", async () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    for (const whole of [true, false]) {
      const answer = emptyAnswer(command.output, whole);
      for (const format of OUTPUTS) {
        const text = await formatAnswer(answer, format, command);
        assert.doesNotMatch(text, /undefined|\[object Object\]|NaN/, `${name} ${format}`);
      }
    }
  }
});

Deno.test("a verb whose answer tells no job ends as its answer says, and waits for nothing", async () => {
  const verbs = VERBS.filter(({ command }) => command.endsIn !== undefined);
  assert.ok(verbs.length >= 2);
  for (const { name, command, words } of verbs) {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const asked: string[] = [];
    await using _listener = await serving(`${folder}/api.sock`, (called) => {
      asked.push(called);
      return called === name ? emptyAnswer(command.output, true) : [];
    });
    const places = command.cli.filter((part) => part.startsWith("<")).map((part) => part.slice(1, -1));
    const given = places.map((place) => String(inputExample(command)[place] ?? SAMPLES[place]));
    const status = await silently(() =>
      runVerb([...words, ...given, "--socket", `${folder}/api.sock`], TERMINAL)
    );
    await Deno.remove(folder, { recursive: true });
    assert.equal(status, 0, name);
    assert.ok(asked.includes(name) && !asked.includes("get_job"), `${asked}`);
  }
});

const TERMINAL: Terminal = {
  isTerminal: false,
  hasColours: false,
  showsProgress: false,
  ask: () => null,
  secret: () => Promise.resolve(""),
  input: () => Promise.resolve(""),
  show: () => {},
  until: new AbortController().signal,
};

/** A server on a socket that answers each command with what is given. */
async function serving(path: string, answer: (name: string) => unknown): Promise<AsyncDisposable> {
  const listener = await listenSocket(
    path,
    (request) => Promise.resolve(Response.json(answer(new URL(request.url).pathname.split("/").at(-1)!))),
  );
  return { [Symbol.asyncDispose]: () => listener.close() };
}

/** Runs with nothing printed. */
async function silently<T>(work: () => Promise<T>): Promise<T> {
  const { log, error } = console;
  console.log = console.error = () => {};
  try {
    return await work();
  } finally {
    Object.assign(console, { log, error });
  }
}
