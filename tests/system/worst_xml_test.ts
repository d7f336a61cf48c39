/** XML that would keep a parser busy is refused at once, and nothing computes afterwards. */
import assert from "node:assert/strict";
import { CallError, startServer } from "../testbed/server.ts";
import { delay } from "../testbed/wait.ts";

/** CPU time that a process has taken, in seconds: proc(5), fields 14 and 15, in ticks of 10 ms. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

Deno.test("check_vm_xml() and import_vm() refuse XML beyond the bounds, and no core stays busy", async () => {
  await using server = await startServer({ uri: "test:///default" });
  const [vm] = await server.call("get_vms") as { id: string; name: string }[];
  const attributes = Array.from({ length: 18_000 }, (_, index) => ` a${index}='1'`).join("");
  const documents = {
    "too many attributes": `<domain type='test'><name>x</name><devices${attributes}/></domain>`,
    "inside each other": `<domain>${"<a>".repeat(10_000)}${"</a>".repeat(10_000)}</domain>`,
    "too many elements": `<domain><name>x</name>${"<a/>".repeat(60_000)}</domain>`,
  };
  for (const [what, xml] of Object.entries(documents)) {
    const { problem } = await server.call("check_vm_xml", { vmId: vm!.id, xml }) as {
      problem: { message: string };
    };
    assert.ok(problem.message.includes(what), problem.message);
    for (const [command, input] of [["import_vm", { xml }], ["set_vm_xml", { vmId: vm!.id, xml }]] as const) {
      await assert.rejects(
        server.call(command, input),
        (error) => error instanceof CallError && (error.body as { code: string }).code === "XmlInvalid",
        command,
      );
    }
  }
  await delay(500);
  const before = await cpuSeconds(server.pid);
  await delay(2000);
  const taken = await cpuSeconds(server.pid) - before;
  assert.ok(taken < 0.4, `the server took ${taken} s of CPU time in 2 s of doing nothing`);
});
