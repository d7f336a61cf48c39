/** Completion in the real shells, and the manual page in the real readers. */
import assert from "node:assert/strict";
import { ensurePackages } from "../testbed/packages.ts";
import { run } from "../testbed/process.ts";
import { BINARY_ENV, buildBinary } from "../testbed/product_binary.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { Unavailable } from "../testbed/unavailable.ts";

const noServer = await requirement("qemu") !== null;

/** Why a Debian package cannot be had; null when it is there. */
async function missing(name: string): Promise<string | null> {
  try {
    await ensurePackages(name);
    return null;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`SKIP ${name}: ${error.message}`);
    return error.message;
  }
}

/** A folder with `kvm-manager` in it, for PATH; asks the server of the test. */
async function withCommand(run: (env: Record<string, string>, server: TestServer) => Promise<void>) {
  await using server = await startServer({ uri: "test:///default", logLevel: "warn" });
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.symlink(await buildBinary(), `${folder}/kvm-manager`);
    const env = { PATH: `${folder}:${Deno.env.get("PATH")}`, KVMM_SOCKET: server.socket, HOME: folder };
    await run({ ...env, ...BINARY_ENV }, server);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const BASH = `
source <(kvm-manager completion bash)
try() { COMP_WORDS=(kvm-manager "$@"); COMP_CWORD=$#; _kvm_manager; echo "\${COMPREPLY[*]}"; }
try vm sta
try vm start ''
try vm list -o ya
try vm detach-disk test ''
complete -p kvm-manager
`;

Deno.test({
  name: "completion bash completes verbs, options and the names of machines in a real bash",
  ignore: noServer,
  fn: () =>
    withCommand(async (env) => {
      const [verbs, names, formats, disks, told] = (await run(["bash", "--norc", "-c", BASH], { env })).split(
        "\n",
      );
      assert.deepEqual([verbs, names, formats, disks], ["start stats", "test", "yaml", "vda"]);
      assert.match(told!, /-F _kvm_manager kvm-manager/);
    }),
});

Deno.test({
  name: "completion zsh completes in a real zsh at a terminal",
  ignore: noServer || await missing("zsh") !== null,
  fn: () =>
    withCommand(async (env) => {
      await using zsh = new TerminalProgram([
        "env",
        ...Object.entries({ ...env, TERM: "dumb" }).map(([name, value]) => `${name}=${value}`),
        ...["zsh", "-f", "-i"],
      ]);
      await zsh.type("PS1='ready> '; autoload -U compinit; compinit -u -D\n");
      await zsh.type("source <(kvm-manager completion zsh); echo com''plete\n");
      await zsh.waitFor("complete\r\n");
      await zsh.type("kvm-manager vm start te\t");
      await zsh.waitFor("vm start test");
      // Ctrl+U: the line is begun again.
      await zsh.type("\x15kvm-manager netw\t");
      await zsh.waitFor("kvm-manager network ");
      await zsh.type("\x15exit\n");
    }),
});

Deno.test({
  name: "completion fish completes in a real fish, with what each word means",
  ignore: noServer || await missing("fish") !== null,
  fn: () =>
    withCommand(async (env) => {
      const ask = async (line: string) =>
        await run([
          "fish",
          "--no-config",
          "-c",
          `kvm-manager completion fish | source; complete -C '${line}'`,
        ], { env });
      assert.match(await ask("kvm-manager vm start "), /^test\trunning$/m);
      assert.match(await ask("kvm-manager vm sta"), /^start\tStart a VM$/m);
      assert.match(await ask("kvm-manager vm list --output j"), /^json/m);
    }),
});

Deno.test({
  name: "manualPage() is read by man without a complaint, and mandoc finds nothing wrong but a missing date",
  ignore: await missing("mandoc") !== null,
  fn: async () => {
    const file = await Deno.makeTempFile({ prefix: "kvmm-test-", suffix: ".1" });
    try {
      await Deno.writeTextFile(file, await run([await buildBinary(), "man"], { env: BINARY_ENV }));
      const { stdout } = await new Deno.Command("mandoc", { args: ["-Tlint", "-W", "warning", file] })
        .output();
      const found = new TextDecoder().decode(stdout).split("\n").filter((line) =>
        line !== "" && !line.includes("missing date")
      );
      assert.deepEqual(found, []);
      const page = await run(["mandoc", "-Tutf8", file]);
      // deno-lint-ignore no-control-regex -- letters are struck over to be bold
      const plain = page.replace(/.\x08/g, "");
      for (
        const part of [
          "EXIT STATUS",
          "vm start",
          "--os-variant",
          "KVMM_TOKEN",
          "not allowed, or not signed in",
        ]
      ) {
        assert.ok(plain.includes(part), part);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});
