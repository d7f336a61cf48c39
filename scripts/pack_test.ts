/** The self-extracting executable, with a shell script in the runtime's place: it is the unpacking that is tested. */
import assert from "node:assert/strict";
import { selfExtracting, V8_FLAGS } from "./pack.ts";
import { ALL_FLAGS, CLIENT_FLAGS, PROGRAM_RIGHTS, VERBS_WITH_ALL_RIGHTS } from "./permissions.ts";

const RUNTIME = `#!/bin/sh
for verb; do :; done
case $verb in
--version) echo "fake $(cat "\${0%/deno}/static/version")" ;;
environment) env ;;
flags) echo "$*" ;;
wait) trap 'exit 7' TERM; echo "$$"; while :; do sleep 0.05; done ;;
esac
`;

interface Packed {
  /** Starts the executable. */
  start: (
    args: string[],
    env?: Record<string, string>,
  ) => Promise<{ code: number; out: string; err: string }>;
  /** Packs another version, and returns how to start it. */
  pack: (version: string) => Promise<string>;
  executable: string;
  cache: string;
}

async function packed(test: (packed: Packed) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const cache = `${folder}/cache with space`, runtime = `${folder}/runtime`;
  const pack = async (version: string) => {
    const bundle = `${folder}/bundle`, executable = `${folder}/product-${version}`;
    await Deno.mkdir(`${bundle}/static`, { recursive: true });
    await Deno.writeTextFile(`${bundle}/main.js`, "");
    await Deno.writeTextFile(`${bundle}/static/version`, version);
    await selfExtracting(bundle, executable, "product", runtime);
    return executable;
  };
  try {
    await Deno.writeTextFile(runtime, RUNTIME, { mode: 0o755 });
    const executable = await pack("1");
    const start = (args: string[], env = {}) => run(executable, args, { KVMM_CACHE_DIR: cache, ...env });
    await test({ start, pack, executable, cache });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(program: string, args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env, clearEnv: true }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { code, out: out ?? "", err: err ?? "" };
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("selfExtracting() unpacks once, for this user alone", () =>
  packed(async ({ start, cache }) => {
    assert.deepEqual(await start(["--version"]), { code: 0, out: "fake 1", err: "" });
    const [version = ""] = await names(cache);
    assert.match(version, /^[0-9a-f]{16}$/);
    const { mode, ino } = await Deno.stat(`${cache}/${version}`);
    assert.equal((mode ?? 0) & 0o777, 0o700);
    await start(["--version"]);
    assert.equal((await Deno.stat(`${cache}/${version}`)).ino, ino);
  }));

Deno.test("selfExtracting() passes the environment and the exit code through", () =>
  packed(async ({ start }) => {
    const { out } = await start(["environment"], { KVMM_PORT: "1", "LC_ALL": "C" });
    assert.match(out, /^KVMM_PORT=1$/m);
    assert.match(out, /^DENO_NO_UPDATE_CHECK=1$/m);
  }));

Deno.test("selfExtracting() gives a verb the permissions it needs, and no others (point 10)", () =>
  packed(async ({ start }) => {
    const flags = async (...verb: string[]) => (await start([...verb, "flags"])).out;
    for (const verb of Object.keys(VERBS_WITH_ALL_RIGHTS)) {
      assert.match(await flags(verb), /^run --allow-all --no-remote/, verb);
    }
    for (const verb of Object.keys(PROGRAM_RIGHTS)) {
      assert.match(await flags(...verb.split(" ")), /^run --allow-all --deny-ffi --no-remote/, verb);
    }
    for (const verb of [["vm", "list"], ["call"], ["vm", "serve"], ["vm", "editor"], ["vm edit"], []]) {
      assert.match(
        await flags(...verb),
        /^run --allow-all --deny-run --deny-ffi --no-remote/,
        verb.join(" "),
      );
    }
  }));

Deno.test("CLIENT_FLAGS leave no way to start a program or to load a library", async () => {
  const script = `for (const attempt of [
    () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).outputSync(),
    () => Deno.dlopen("libc.so.6", {}),
    () => new Worker("data:text/javascript,Deno.dlopen('libc.so.6', {})", { type: "module" }) && Deno.dlopen("x", {}),
    () => Deno.readTextFileSync("/proc/self/environ"),
  ]) try { attempt(); console.log("possible"); } catch (error) { console.log(error.name); }
  console.log(Deno.readTextFileSync("/etc/hostname").length > 0);
  Deno.exit(0);`;
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(`${folder}/try.js`, script);
    const run = (...flags: string[]) =>
      new Deno.Command(Deno.execPath(), { args: ["run", ...flags, "--no-config", `${folder}/try.js`] })
        .output();
    const said = new TextDecoder().decode((await run(...CLIENT_FLAGS)).stdout).trim().split("\n");
    assert.deepEqual(said, ["NotCapable", "NotCapable", "NotCapable", "NotCapable", "true"]);
    const all = new TextDecoder().decode((await run(...ALL_FLAGS)).stdout).trim().split("\n");
    assert.equal(all[0], "possible", "the test can fail");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("V8_FLAGS let no text become code", async () => {
  const script = `for (const attempt of [() => new Function("return 1")(), () => (0, eval)("1")])
    try { attempt(); console.log("possible"); } catch (error) { console.log(error.name); }`;
  const said = async (...flags: string[]) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", ...flags, script] }).output();
    return new TextDecoder().decode(stdout).trim().split("\n");
  };
  assert.deepEqual(await said(V8_FLAGS), ["EvalError", "EvalError"]);
  assert.deepEqual(await said(), ["possible", "possible"], "the test can fail");
});

Deno.test("selfExtracting() becomes the program: signals reach it", () =>
  packed(async ({ executable, cache }) => {
    const child = new Deno.Command(executable, {
      args: ["wait"],
      env: { KVMM_CACHE_DIR: cache },
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    assert.equal(Number(new TextDecoder().decode((await reader.read()).value)), child.pid);
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 7);
    await reader.cancel();
  }));

Deno.test("selfExtracting() may be started many times at once", () =>
  packed(async ({ start, cache }) => {
    const results = await Promise.all(Array.from({ length: 8 }, () => start(["--version"])));
    assert.deepEqual(
      new Set(results.map(({ code, out, err }) => `${code} ${out} ${err}`)),
      new Set(["0 fake 1 "]),
    );
    assert.equal((await names(cache)).length, 1);
  }));

Deno.test({
  name:
    "selfExtracting() may be started at once in containers that share a cache and count their processes alike",
  ignore: Deno.uid() !== 0,
  fn: () =>
    packed(async ({ executable, cache }) => {
      const results = await Promise.all(
        Array.from({ length: 6 }, () =>
          run("unshare", ["--pid", "--fork", "--mount-proc", executable, "--version"], {
            KVMM_CACHE_DIR: cache,
          })),
      );
      assert.deepEqual(results, Array(6).fill({ code: 0, out: "fake 1", err: "" }));
      assert.equal((await names(cache)).length, 1);
    }),
});

Deno.test("selfExtracting() refuses a cache that others can write to, or a symbolic link", () =>
  packed(async ({ start, cache }) => {
    await Deno.mkdir(cache);
    await Deno.chmod(cache, 0o777);
    assert.match((await start(["--version"])).err, /KVMM_CACHE_DIR cannot be used/);
    await Deno.rename(cache, `${cache}.real`);
    await Deno.chmod(`${cache}.real`, 0o700);
    await Deno.symlink(`${cache}.real`, cache);
    assert.equal((await start(["--version"])).code, 1);
  }));

Deno.test("selfExtracting() unpacks again what is a symbolic link or incomplete", () =>
  packed(async ({ start, cache }) => {
    await start(["--version"]);
    const [version = ""] = await names(cache);
    const home = `${cache}/${version}`;
    await Deno.remove(`${home}/main.js`);
    assert.equal((await start(["--version"])).out, "fake 1");
    await Deno.rename(home, `${cache}.elsewhere`);
    await Deno.symlink(`${cache}.elsewhere`, home);
    assert.equal((await start(["--version"])).out, "fake 1");
    assert.equal((await Deno.lstat(home)).isSymlink, false);
    await Deno.stat(`${cache}.elsewhere/main.js`); // what the link led to is not touched
  }));

Deno.test("selfExtracting() notices a damaged or incomplete file", () =>
  packed(async ({ start, executable, cache }) => {
    const bytes = await Deno.readFile(executable);
    const damaged = bytes.slice();
    damaged[damaged.length - 6] = (damaged.at(-6) ?? 0) ^ 0xff; // in gzip's checksum
    for (const broken of [damaged, bytes.slice(0, -40)]) {
      await Deno.writeFile(executable, broken);
      const { code, err } = await start(["--version"]);
      assert.equal(code, 1);
      assert.match(err, /product: cannot unpack into .*cache with space/);
      assert.deepEqual(await names(cache), []);
    }
  }));

/** Sets the last start of a version back by 31 days. */
async function age(cache: string, version: string): Promise<void> {
  const then = new Date(Date.now() - 31 * 24 * 3_600_000);
  await Deno.utime(`${cache}/${version}/.unpacked-by-product`, then, then);
}

Deno.test({
  name:
    "selfExtracting() leaves a version that another namespace of processes may run, for 30 days from its start",
  ignore: Deno.uid() !== 0,
  fn: () =>
    packed(async ({ start, pack, cache }) => {
      const env = { KVMM_CACHE_DIR: cache, PATH: Deno.env.get("PATH")! };
      const elsewhere = (executable: string) =>
        run("unshare", ["--pid", "--fork", "--mount-proc", executable, "--version"], env);
      await start(["--version"]);
      const [first = ""] = await names(cache);
      assert.equal((await elsewhere(await pack("2"))).out, "fake 2");
      assert.ok((await names(cache)).includes(first), "it was started just now");
      await age(cache, first);
      await start(["--version"]);
      assert.equal((await elsewhere(await pack("3"))).out, "fake 3");
      assert.ok((await names(cache)).includes(first), "it was started again");
      await age(cache, first);
      assert.equal((await elsewhere(await pack("4"))).out, "fake 4");
      assert.ok(!(await names(cache)).includes(first), "31 days ago");
    }),
});

Deno.test("selfExtracting() removes the versions before it, and leftovers, but nothing else", () =>
  packed(async ({ start, pack, cache }) => {
    await start(["--version"]);
    const [first = ""] = await names(cache);
    await age(cache, first);
    await Deno.mkdir(`${cache}/.product-new-999999999`);
    const old = new Date(Date.now() - 2 * 3_600_000);
    await Deno.utime(`${cache}/.product-new-999999999`, old, old);
    // Projects of the user's own, also such as look like ours, and what other programs stage.
    const foreign = [
      ...["mine", "deadbeefdeadbeef", ".new-999999999", ".product-new-", ".product-new-x"],
      // being unpacked by a process that cannot be seen from here
      ".product-new-999999998",
    ];
    for (const name of foreign) {
      await Deno.mkdir(`${cache}/${name}`);
      await Deno.writeTextFile(`${cache}/${name}/main.js`, "mine");
      await Deno.writeTextFile(`${cache}/${name}/deno`, "mine", { mode: 0o755 });
    }
    assert.equal((await run(await pack("2"), ["--version"], { KVMM_CACHE_DIR: cache })).out, "fake 2");
    const left = await names(cache);
    assert.equal(left.length, foreign.length + 1);
    assert.ok(!left.includes(first), "the version before");
    for (const name of foreign) {
      assert.equal(await Deno.readTextFile(`${cache}/${name}/main.js`), "mine", name);
    }
  }));
