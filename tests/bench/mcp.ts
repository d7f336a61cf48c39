/** MCP: how long and how large the list of tools is, what the first session costs, and a program that starts its server. */
import { asRoot, personWith } from "../testbed/people.ts";
import { overHttp, overStdio } from "../testbed/mcp.ts";
import { startServer } from "../testbed/server.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { memoryOf } from "./proc.ts";
import { alone } from "./row.ts";

/** Milliseconds that something takes. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

export const mcp: Bench = async function* (context) {
  await using server = await startServer(context.server);
  await asRoot(server, "update_mcp_access", { enabled: true, callsPerMinute: 6000 });
  const person = await personWith(server, "bench", [{ role: "operator", on: { kind: "everything" } }]);
  const before = (await memoryOf(server.pid)).anon;
  // Loads the SDK, here and there
  yield alone({
    what: "MCP: the first session, which loads the SDK",
    ours: [await timed(async () => await (await overHttp(server, person)).client.close())],
  });
  yield alone({
    what: "MCP: memory that the SDK takes",
    ours: [(await memoryOf(server.pid)).anon - before],
    unit: "MB",
  });
  const rounds = roundsOf(context, 30), lists: number[] = [], calls: number[] = [], starts: number[] = [];
  await using session = await overHttp(server, person);
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    lists.push(await timed(async () => bytes = JSON.stringify(await session.client.listTools()).length));
    calls.push(await timed(() => session.data("read", { command: "get_vms", fields: "id,name,state" })));
  }
  yield alone({ what: "MCP: tools/list", ours: lists, aim: { most: 20 } });
  yield alone({ what: "MCP: size of tools/list", ours: [bytes / 1000], unit: "KB", aim: { most: 20 } });
  yield alone({ what: "MCP: the list of VMs", ours: calls });
  for (let round = 0; round < roundsOf(context, 9); round++) {
    starts.push(
      await timed(async () => {
        await using started = await overStdio(["--socket", server.socket], context.server.env ?? {});
        await started.client.listTools();
      }),
    );
  }
  yield alone({ what: "MCP: kvm-manager mcp → its tools", ours: starts });
};
