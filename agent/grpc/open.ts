/** Opens gRPC as the settings want it. */
import { COMMANDS } from "../../lib/contract/mod.ts";
import type { Application } from "../app.ts";
import type { Listener } from "../http/listener.ts";
import type { Listeners } from "../http/listeners.ts";
import type { SocketRule } from "../http/socket_peers.ts";
import { Rate } from "../limits.ts";
import { listenGrpc } from "./listeners.ts";

/** @throws {Error} saying which address cannot be listened on */
export async function openGrpc(
  app: Application,
  doors: Listeners,
  rule: SocketRule | undefined,
): Promise<Listener[]> {
  const { grpcListen: addresses, runtimeDir } = app.settings, { certificates, arrivals } = doors;
  if (addresses.length === 0) return [];
  return await listenGrpc({
    addresses,
    runtimeDir,
    rule,
    certificates,
    arrivals,
    load: async (originOf) => {
      const [{ GrpcServer }, { grpcApi }] = await Promise.all([import("./server.ts"), import("./api.ts")]);
      const { access, dispatch, hub, consoles, places } = app;
      return new GrpcServer(
        {
          access,
          dispatch,
          hub,
          consoles,
          places,
          originOf,
          vms: () => app.vms(),
          heads: (command, host, principal) => app.hostHeads(command, host, principal),
          rate: new Rate(),
        },
        grpcApi(),
        COMMANDS,
      );
    },
  });
}
