/** The scripts in the real shells, before a command that only shows what it was asked: names with blanks, colons and quotes. */
import assert from "node:assert/strict";
import { SHELLS } from "./scripts.ts";

const NAMES = ["my vm", "my vm:two", "lab:web1", "lab:web2", "it's", 'a"b', "$home"];

/** Runs a line of a shell with a `kvm-manager` that completes these names; undefined where there is no such shell. */
async function inShell(shell: string, line: string): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const command =
      `#!/bin/bash\nfor word; do :; done\nwhile IFS= read -r name; do [[ $name == "$word"* ]] && ` +
      `printf '%s\\tVM\\n' "$name"; done < "${folder}/names"\nexit 0\n`;
    await Deno.writeTextFile(`${folder}/names`, NAMES.join("\n") + "\n");
    await Deno.writeTextFile(`${folder}/kvm-manager`, command, { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/script`, SHELLS[shell]!);
    const { stdout, stderr, success } = await new Deno.Command(shell, {
      args: [...(shell === "bash" ? ["--norc"] : []), "-c", `source ${folder}/script\n${line}`],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}`, HOME: folder },
    }).output();
    const text = new TextDecoder();
    assert.ok(success, text.decode(stderr));
    return text.decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("bash: what is put behind the typed text makes the name whole", async () => {
  const table: [typed: string, replies: string[]][] = [
    ["my", ["my\\ vm", "my\\ vm:two"]],
    ["my\\ v", ["my\\ vm", "my\\ vm:two"]],
    ["'my v", ["my vm", "my vm:two"]],
    ['"my vm:', ["my vm:two"]],
    ["my\\ vm:t", ["two"]],
    ["lab:we", ["web1", "web2"]],
    ["lab:", ["web1", "web2"]],
    ["'lab:we", ["lab:web1", "lab:web2"]],
    ["it", ["it\\'s"]],
    ["'i", ["it'\\''s"]],
    ['"a', ['a\\"b']],
    ['"$h', ["\\$home"]],
    ["nothing", []],
  ];
  const lines = table.map(([typed]) => {
    const line = `kvm-manager vm start ${typed}`, quoted = `'${line.replaceAll("'", "'\\''")}'`;
    return `COMP_LINE=${quoted}; COMP_POINT=\${#COMP_LINE}; _kvm_manager; printf '<%s>' "\${COMPREPLY[@]}"; echo`;
  });
  const told = await inShell("bash", `COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'\n${lines.join("\n")}`);
  const wanted = table.map(([, replies]) =>
    `${replies.length === 0 ? "<>" : replies.map((each) => `<${each}>`).join("")}\n`
  );
  assert.equal(told, wanted.join(""));
});

Deno.test("bash: words alone, as scripts that complete by hand give them, are put together", async () => {
  const told = await inShell(
    "bash",
    `COMP_WORDS=(kvm-manager vm start lab : web1); COMP_CWORD=5; _kvm_manager; echo "\${COMPREPLY[*]}"`,
  );
  assert.equal(told, "web1\n");
});

Deno.test("fish: names are found by what was typed, quoted or not", async () => {
  const ask = (line: string) => `complete -C ${JSON.stringify(line)}; echo END;`;
  const told = await inShell(
    "fish",
    ["kvm-manager vm start my\\\\ v", "kvm-manager vm start 'my v", "kvm-manager vm start lab:"].map((line) =>
      ask(line.replaceAll("\\\\", "\\"))
    ).join(" "),
  );
  if (told === undefined) return;
  const answers = told.split("END\n").map((each) =>
    each.split("\n").filter((line) => line !== "").map((line) => line.split("\t")[0]!.replaceAll("\\", ""))
  );
  assert.deepEqual(answers[0], ["my vm", "my vm:two"]);
  assert.deepEqual(answers[1]!.map((each) => each.replace(/^'/, "")), ["my vm", "my vm:two"]);
  assert.deepEqual(answers[2], ["lab:web1", "lab:web2"]);
});
