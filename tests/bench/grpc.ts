/** gRPC: the list of all VMs compared with REST's, in time and in bytes; the cost of the first call, which loads grpc-js. */
import { grpcAddresses, GrpcClient } from "../testbed/grpc.ts";
import { personWith } from "../testbed/people.ts";
import { startServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";
import { countOf, getVms } from "./api.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { timed } from "./measure.ts";
import { memoryOf } from "./proc.ts";
import { alone, comparison } from "./row.ts";

/** Rounds before those that count. */
const WARM_UP = 5;

export const grpc: Bench = async function* (context) {
  const { machines } = context;
  await using server = await startServer({ ...context.server, args: ["--grpc-listen", "127.0.0.1:0"] });
  await using client = await GrpcClient.start();
  await until(
    "the whole list",
    async () => countOf(await getVms(server.url).catch(() => []), machines) === machines.length,
  );
  const person = await personWith(server, "bench", [{ role: "viewer", on: { kind: "everything" } }]);
  const metadata = [["authorization", person.headers.authorization!]] as const;
  const call = { target: grpcAddresses(server).plain, method: "kvmmanager.v1.KvmManager/GetVms", metadata };
  const before = (await memoryOf(server.pid)).anon;
  const session = { ...call, method: "kvmmanager.v1.KvmManager/GetSession" };
  yield alone({
    what: "gRPC: the first call, which loads it",
    ours: [await timed(() => client.unary(session))],
  });
  yield alone({
    what: "gRPC: memory that it takes",
    ours: [(await memoryOf(server.pid)).anon - before],
    unit: "MB",
  });
  const compared = async (count: number) => {
    const http = server.url.replace("http://", ""), path = "/api/v1/vms";
    return await client.op("times", { ...call, http, path, count }) as unknown as {
      readonly grpc: number[];
      readonly rest: number[];
      readonly grpc_bytes: number;
      readonly rest_bytes: number;
    };
  };
  await compared(WARM_UP);
  const found = await compared(roundsOf(context, 30));
  const what = `gRPC: list of ${machines.length}`, peer = "REST";
  yield comparison({ what, ours: found.grpc, theirs: found.rest, peer, aim: { ratio: 2 } });
  yield comparison({
    what: `${what}, its size`,
    peer,
    unit: "KB",
    ours: [found.grpc_bytes / 1000],
    theirs: [found.rest_bytes / 1000],
    aim: { ratio: 0.5 },
  });
};
