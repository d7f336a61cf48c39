/** Folders of guests that lie: names, sizes and folders without end. */
import assert from "node:assert/strict";
import { render } from "../../lib/i18n/message.ts";
import { joined } from "../../lib/bytes.ts";
import type { GuestFile } from "../../lib/contract/mod.ts";
import { FolderArchive } from "../../lib/formats/tar/folder.ts";
import { longTarHead, tarEnd, tarPadding } from "../../lib/formats/tar/tar.ts";
import type { CallContext, RequestBody } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { GuestBackend } from "./backend.ts";
import { copyFolderFrom, copyFolderTo } from "./copy_folder.ts";
import type { In } from "./copy.ts";

const file = (name: string, kind: GuestFile["kind"] = "file", size = 4): GuestFile => ({
  name,
  kind,
  size,
  modifiedAt: 0,
  mode: "4755",
  owner: "root",
  group: "root",
});

/** Outcome of a copy. */
class Ran {
  state = "running";
  readonly lines: string[] = [];
  noted: Readonly<Record<string, unknown>> | undefined;
  stream: ReadableStream<Uint8Array> | undefined;

  readonly host = {
    jobs: {
      open: () =>
        Promise.resolve({
          signal: new AbortController().signal,
          progress: () => {},
          log: (line: string) => void this.lines.push(line),
          done: () => void (this.state = "done"),
          failed: (error: unknown) => {
            this.state = "failed";
            return error;
          },
        }),
    },
  } as unknown as LibvirtHost;

  context(body?: RequestBody): CallContext {
    return {
      principal: { name: "ann", ended: new AbortController().signal } as CallContext["principal"],
      content: { ...(body && { body }), answer: (stream) => void (this.stream = stream) },
      note: (what) => void (this.noted = what),
    };
  }
}

const guest = (agent: Partial<GuestBackend>): In =>
  ({ vm: { id: "id", name: "web" }, agent }) as unknown as In;

/** A guest with these folders, whose files all hold `text`. */
const withFolders = (folders: Readonly<Record<string, readonly GuestFile[]>>): In =>
  guest({
    listFiles: (_vm, path) => Promise.resolve({ files: [...folders[path] ?? []], truncated: false }),
    openFile: () => {
      let left = new TextEncoder().encode("text");
      return Promise.resolve({
        size: 4,
        seek: () => Promise.resolve(),
        read: (most: number) => {
          const part = left.subarray(0, most);
          left = left.subarray(part.length);
          return Promise.resolve(part);
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  });

async function names(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const reader = stream.getReader(), found: string[] = [];
  const archive = new FolderArchive(async () => (await reader.read()).value ?? null);
  for (let entry = await archive.entry(); entry !== null; entry = await archive.entry()) {
    found.push(`${entry.names.join("/")} ${entry.kind} ${entry.mode.toString(8)} ${entry.size}`);
  }
  assert.equal((await reader.read()).value, undefined);
  return found;
}

const from = (ran: Ran, from: In) =>
  copyFolderFrom(ran.host, from, { vmId: "id", path: "/src" }, ran.context());

Deno.test("a guest's names lead nowhere, and what is left out is told; the size is that of what comes", async () => {
  const ran = new Ran();
  const odd = ["../up", "..", ".", "", "/abs", "a/b", "new\nline", "nul\0"];
  const { size } = await from(
    ran,
    withFolders({
      "/src": [
        ...odd.map((name) => file(name)),
        file("..", "folder"),
        file("sub", "folder"),
        file("link", "link"),
      ],
      "/src/sub": [file("a"), file("empty", "file", 0), file("less", "file", -7)],
    }),
  );
  const [counted, read] = ran.stream!.tee();
  assert.deepEqual(await names(read), [
    "sub folder 755 0",
    "sub/a file 755 4",
    "sub/empty file 755 0",
    "sub/less file 755 0",
  ]);
  assert.equal((await new Response(counted).bytes()).length, size);
  assert.equal(ran.lines.length, odd.length + 2);
  assert.ok(ran.lines.includes("Left out: /src/link is a link"));
  assert.deepEqual(ran.noted, {
    copied: { files: 3, folders: 1, size: 4, names: ["sub/a", "sub/empty", "sub/less"] },
  });
  assert.equal(ran.state, "done");
});

Deno.test("a file that is shorter than its guest said ends the copy", async () => {
  const ran = new Ran();
  await from(ran, withFolders({ "/src": [file("a", "file", 2 ** 40)] }));
  await assert.rejects(names(ran.stream!), /became shorter/);
  assert.equal(ran.state, "failed");
});

Deno.test("folders in each other without end are no copy", async () => {
  const endless = guest({
    listFiles: () => Promise.resolve({ files: [file("x", "folder")], truncated: false }),
  });
  await assert.rejects(from(new Ran(), endless), /more files than can be listed/);
});

/** A guest that takes all it is given. */
function taking(made: string[]): In {
  return guest({
    makeFolder: (_vm, path, mode) => Promise.resolve(void made.push(`${path}/ ${mode}`)),
    createFile: (_vm, path, mode) => {
      let text = "";
      return Promise.resolve({
        write: (bytes) => Promise.resolve(void (text += new TextDecoder().decode(bytes))),
        finish: () => {
          made.push(`${path} ${mode} ${text}`);
          return Promise.resolve(true);
        },
        abandon: () => Promise.resolve(`${path} was begun`),
      });
    },
  });
}

const tar = (name: string) =>
  joined([longTarHead({ name, mode: 0o640, size: 4 }), new TextEncoder().encode("text"), tarPadding(4)]);

async function into(ran: Ran, made: string[], path: string, bytes: Uint8Array, size = bytes.length) {
  const waiting = [bytes];
  const body: RequestBody = { next: () => Promise.resolve(waiting.shift() ?? null), interrupt: () => {} };
  return await copyFolderTo(ran.host, taking(made), { vmId: "id", path, size }, ran.context(body));
}

Deno.test("a folder goes into the guest; the audit log has counts and the first names alone", async () => {
  const ran = new Ran(), made: string[] = [];
  const many = Array.from({ length: 30 }, (_, index) => tar(`b/${String(index).padStart(150, "0")}`));
  const folders = [
    longTarHead({ name: "./", mode: 0o700, size: 0 }),
    longTarHead({ name: "b/", mode: 0o755, size: 0 }),
  ];
  const told = await into(ran, made, "/dst", joined([...folders, ...many, tarEnd()]));
  assert.deepEqual(told, { files: 30, folders: 1, size: 120, verified: true });
  assert.deepEqual(made.slice(0, 2), ["/dst/ 0700", "/dst/b/ 0755"]);
  assert.match(made[2]!, /^\/dst\/b\/0+ 0640 text$/);
  assert.ok(JSON.stringify(ran.noted).length < 3000);
  assert.equal(ran.state, "done");
});

Deno.test("a folder that breaks off says what it left, and how much was copied", async () => {
  const ran = new Ran(), made: string[] = [];
  const whole = joined([tar("a"), tar("b"), tarEnd()]);
  await assert.rejects(into(ran, made, "/dst", whole.subarray(0, 1538), whole.length), /1538|broke off/);
  assert.deepEqual(made, ["/dst/ undefined", "/dst/a 0640 text"]);
  assert.deepEqual(ran.lines.map(render), ["Files copied before: 1", "/dst/b was begun"]);
  assert.equal(ran.state, "failed");
});

Deno.test("no name leads out of the folder, on Windows by its own signs either", async () => {
  for (const [path, name] of [["/dst", "../x"], ["C:\\dst", "..\\..\\x"], ["C:\\dst", "x:stream"]] as const) {
    const made: string[] = [];
    await assert.rejects(into(new Ran(), made, path, joined([tar(name), tarEnd()])));
    assert.deepEqual(made.filter((each) => !each.startsWith(`${path}/ `)), []);
  }
});
