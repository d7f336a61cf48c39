/**
 * Every command line that documentation and help show, carried out: by a server that checks each call as the real one does
 * and has whatever is named.
 */
import assert from "node:assert/strict";
import type { TSchema } from "typebox";
import { validate } from "../agent/dispatch.ts";
import { listenSocket } from "../agent/http/server.ts";
import { type Command, type CommandName, COMMANDS, ContractError, VM_STATES } from "../lib/contract/mod.ts";
import { ownFields } from "../lib/contract/envelope.ts";
import { exampleOf } from "../lib/openapi/examples.ts";
import { main } from "./main.ts";
import type { Terminal } from "./terminal.ts";
import { findOwn } from "./own_verb.ts";
import { ownVerbs } from "./own_verbs.ts";
import { examplesOf } from "./verb/examples.ts";
import { findVerb, VERBS } from "./verb/find.ts";
import { messageOf } from "../lib/text/message.ts";
import { asksForHelp } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { readArguments } from "./verb/options.ts";
import { runVerb } from "./verb/run.ts";
import { WAITED_FOR } from "./verb/waited_for.ts";

const noPages = () => Promise.reject(new Error("no test serves"));
const OWN = ownVerbs(noPages);
/**
 * Verbs of their own that ask a server by its commands alone. The others act on the host, or keep a connection: of these,
 * what they read of their arguments is carried out, and no more.
 */
const ASKING: ReadonlySet<string> = new Set(["vm wait", "call"]);
/** Commands that are given what only a browser makes. */
const OF_BROWSERS: ReadonlySet<string> = new Set(["add_passkey", "sign_in_with_passkey"]);

/** A line, and where it stands. */
interface Line {
  readonly text: string;
  readonly where: string;
}

/** The words of each command in a line of a shell, without what it sends where. */
function commandsIn(text: string): string[][] {
  const commands: string[][] = [[]];
  const token =
    /\s+|#.*$|'([^']*)'|"([^"]*)"|(&&|\|\||[|;&])|<\([^)]*\)|(>>?|<)\s*[^\s;&|]+|((?:[^\s'"|;&<>]|\\.)+)/gy;
  let word: string | undefined;
  const end = () => {
    if (word !== undefined) commands.at(-1)!.push(word);
    word = undefined;
  };
  for (let found = token.exec(text); found !== null && found[0] !== ""; found = token.exec(text)) {
    const [all, single, double, operator, , bare] = found;
    const part = single ?? double ?? bare;
    if (part !== undefined) word = (word ?? "") + part;
    else end();
    if (all.startsWith("#")) break;
    if (operator !== undefined) commands.push([]);
  }
  end();
  return commands;
}

/** Command lines of documentation: in blocks, and within sentences where they have options. */
function linesOf(markdown: string, where: string): Line[] {
  const lines: Line[] = [];
  let isBlock = false;
  const joined = markdown.replaceAll(/\\\n\s*/g, " ");
  joined.split("\n").forEach((text) => {
    if (text.startsWith("```")) isBlock = !isBlock;
    else if (isBlock || /^ {4}kvm-manager /.test(text)) lines.push({ text: text.trim(), where });
  });
  for (const [, text] of joined.matchAll(/(?<!`)`([^`]+)`(?!`)/g)) {
    if (/^kvm-manager [a-z]+ [a-z-]+ [^|]*--[a-z]|^[a-z]+ [a-z-]+ [^|]*--[a-z-]+[ =]\S/.test(text!)) {
      lines.push({ text: text!, where });
    }
  }
  return lines;
}

/** The arguments of what a line has for this program; none where it has nothing for it. */
function argumentsIn(line: Line): string[][] {
  return commandsIn(line.text).flatMap((words) => {
    const at = words.findIndex((word) => /(^|\/)kvm-manager$/.test(word));
    const isSentence = !/\bkvm-manager /.test(line.text) &&
      (findVerb(words) ?? findOwn(OWN, words)) !== undefined;
    return at < 0 && !isSentence ? [] : [words.slice(at + 1)];
  });
}

const docs = new URL("../docs/", import.meta.url);

async function documented(): Promise<Line[]> {
  const lines = linesOf(await Deno.readTextFile(new URL("../README.md", import.meta.url)), "README.md");
  for await (const { name } of Deno.readDir(docs)) {
    if (name.endsWith(".md")) lines.push(...linesOf(await Deno.readTextFile(new URL(name, docs)), name));
  }
  for (const verb of VERBS) {
    if (OF_BROWSERS.has(verb.name)) continue;
    for (const text of examplesOf(verb)) lines.push({ text, where: `${verb.words.join(" ")} --help` });
  }
  for (const [name, { load }] of Object.entries(OWN)) {
    for (const text of (await load()).help().split("\n")) {
      if (/^ {2}([A-Z]+=\S+ )?kvm-manager [a-z]/.test(text)) {
        lines.push({ text: text.trim(), where: `${name} --help` });
      }
    }
  }
  return lines;
}

/** Disks of the VM. */
const DISKS = [
  { target: "sda", device: "cdrom" },
  ...["vda", "vdb"].map((target) => ({ target, device: "disk", capacityBytes: 1024 ** 3 })),
];

/** Example output of a list command in which each of the given words is the name of an entry. */
function listed({ output, lookup, rows }: Command, words: readonly string[]): unknown {
  const list = lookup!.in ?? rows;
  const schema = output as TSchema & { items?: TSchema; properties?: Record<string, { items: TSchema }> };
  const item = list === undefined ? schema.items! : schema.properties![list]!.items;
  const state = VM_STATES.find((each) => words.includes(each));
  const entries = words.map((word, index) => ({
    ...exampleOf(item, "", true) as object,
    ...(state !== undefined && { state }),
    id: `6f1d3f3e-9a53-4c1e-8d6e-${String(index).padStart(12, "0")}`,
    [lookup!.by]: word,
  }));
  return list === undefined ? entries : { ...exampleOf(output, "", true) as object, [list]: entries };
}

const filesHere = () => Array.from(Deno.readDirSync("."), ({ name }) => name).sort();

Deno.test("every command line of the documentation and of the help is taken as it stands", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const refused: string[] = [], before = filesHere();
  let words: readonly string[] = [];
  const listener = await listenSocket(`${folder}/api.sock`, async (request) => {
    const name = new URL(request.url).pathname.split("/").at(-1) as CommandName;
    if (name as string === "events") return events(request.signal);
    const command: Command | undefined = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined || request.method !== "POST") return Response.json({});
    try {
      const input = await request.json();
      if (command.unchecked === undefined) {
        validate(name, ownFields(command, input));
      }
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      refused.push(`${name}: ${error.message}`);
      return Response.json(error, { status: error.status });
    }
    if (name === "list_images") {
      return Response.json({ images: words.map((each) => ({ name: each, pool: "default", volume: each })) });
    }
    if (name === "get_vm_devices") return Response.json({ disks: DISKS, nics: [] });
    if (name === "check_vm_config") return Response.json({ errors: [], warnings: [], resolved: null });
    if (name === "get_job") return Response.json({ job: { state: "done" }, log: [] });
    return Response.json(command.lookup ? listed(command, words) : exampleOf(command.output));
  });
  const { log, error } = console;
  const faults: string[] = [];
  let count = 0;
  try {
    for (const line of await documented()) {
      for (const args of argumentsIn(line)) {
        const given = await placed(args, folder);
        const own = findOwn(OWN, given);
        words = given.flatMap((word) => word.split("/"));
        refused.length = 0;
        let said = "";
        console.log = () => {};
        console.error = (text: string) => void (said += `${text}\n`);
        count++;
        const carriedOut = async () => {
          if (own !== undefined && !ASKING.has(own.name)) return await readOwn(own);
          const asking = [...asked(given), "--socket", `${folder}/api.sock`];
          return own === undefined
            ? await runVerb(asking, { ...TERMINAL, isTerminal: !/[|>]/.test(line.text) }, OWN)
            : await main(asking, noPages);
        };
        const status = await carriedOut().catch((thrown) => `threw ${thrown.stack}`);
        Object.assign(console, { log, error });
        if (typeof status === "string" || refused.length > 0 || status === 2) {
          faults.push(`${line.where}: ${line.text}\n    ${status} ${said}${refused}`);
        }
      }
    }
  } finally {
    Object.assign(console, { log, error });
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
  assert.ok(count > 550, `${count}`);
  assert.deepEqual(filesHere(), before, "a line wrote into the working folder");
  await t.step(`${count} lines`, () => assert.deepEqual(faults, []));
});

/** Has a verb of its own read its arguments, as it does before it does anything. @returns its exit status */
async function readOwn({ verb, rest }: NonNullable<ReturnType<typeof findOwn>>): Promise<number> {
  const { read } = await verb.load();
  if (asksForHelp(rest)) return EXIT.done;
  try {
    read(rest);
    return EXIT.done;
  } catch (error) {
    console.error(messageOf(error));
    return EXIT.usage;
  }
}

/** Options that wait for what no server of a test brings about. */
const WAITING = /^--(wait|watch|timeout)(=|$)|^-w$/;

/** A line without what it waits for, once that was found to be taken. @throws {UsageError} */
function asked(args: readonly string[]): string[] {
  const found = findVerb(args);
  if (found === undefined) return [...args];
  readArguments(found.verb, found.rest);
  return args.filter((word, index) =>
    !WAITING.test(word) && !(args[index - 1] === "--timeout") &&
    !(args[index - 1] === "--wait" && WAITED_FOR.some((each) => each === word))
  );
}

/** Events, of which none comes. */
function events(gone: AbortSignal): Response {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode('id: 1\nevent: vm-deleted\ndata: {"vmId":"x"}\n\n'));
      gone.addEventListener("abort", () => controller.close());
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** A person at a terminal, who says yes. */
const TERMINAL: Terminal = {
  isTerminal: true,
  hasColours: false,
  showsProgress: false,
  ask: () => "yes",
  secret: () => Promise.resolve("typed"),
  input: () => Promise.resolve("123456"),
  show: () => {},
  until: new AbortController().signal,
};

/** Options with the name of a file. */
const FILES = /^(?:--(?:from|file|out|to|ca|ssh-key|[a-z-]+-file)|-f)$/;

/** A line whose files are in a folder: those that it reads are there, those that it writes are not. */
async function placed(args: readonly string[], folder: string): Promise<string[]> {
  const line = args.flatMap((word) => {
    const [, option, value] = /^(--[a-z-]+)=(.+)$/s.exec(word) ?? [];
    return option !== undefined && FILES.test(option) ? [option, value!] : [word];
  });
  const written: string[] = [];
  for (const [index, word] of line.entries()) {
    const option = line[index - 1] ?? "";
    if (!FILES.test(option) || word === "-") {
      written.push(word === "{…}" ? "{}" : word);
      continue;
    }
    const path = `${folder}/${word.split("/").at(-1)}`;
    const isOut = option === "--out" || option === "--to";
    if (isOut) await Deno.remove(path).catch((error) => assert.ok(error instanceof Deno.errors.NotFound));
    else {await Deno.writeTextFile(
        path,
        option === "--ssh-key"
          ? `ssh-ed25519 ${"A".repeat(68)}`
          : /[a-z]-file$/.test(option)
          ? "https://example.org"
          : "{}",
      );}
    written.push(path);
  }
  return written;
}
