/** The commands on keys, certificates and passwords of KVM Manager. */
import type { credentialCommands, HostFault } from "../../../lib/contract/mod.ts";
import type { Api } from "../../../lib/contract/api.ts";
import { Mutex } from "../../../lib/mutex.ts";
import type { Principal } from "../../access.ts";
import type { Handlers } from "../../dispatch.ts";
import type { EventHub } from "../../events/hub.ts";
import { rotateSshKey } from "../ssh/rotate_key.ts";
import { withSsh } from "../ssh/with_ssh.ts";
import { allCredentials, type CredentialSources } from "./list.ts";

/** What they need of the application. */
interface CredentialServices extends CredentialSources {
  readonly hub: Pick<EventHub, "publish">;
  apiFor(principal: Principal): Api;
}

/** A handler for each of them. */
export function credentialHandlers(app: CredentialServices): Pick<Handlers, keyof typeof credentialCommands> {
  const rotations = new Mutex();
  let faults: readonly HostFault[] = [];
  const rotateLinkKey = async () => {
    const publicKey = await app.peers.identity.rotate();
    app.hub.publish("hosts-changed", {});
    return { publicKey, faults: [] };
  };
  const rotateSsh = async (force: boolean) => {
    faults = await rotateSshKey(app.ssh, app.hostRecords.all(), force);
    return { publicKey: await app.ssh.publicKey(), faults: [...faults] };
  };
  return {
    list_credentials: async (_input, { principal }) => {
      const api = app.apiFor(principal);
      const [alerts, backups] = await Promise.all([api.listAlertTargets(), api.listBackupTargets()]);
      return await withSsh(() => allCredentials(app, { alerts, backups }, faults));
    },
    rotate_credential: ({ credentialId, force = false }) =>
      rotations.run(() => credentialId === "link-key" ? rotateLinkKey() : withSsh(() => rotateSsh(force))),
  };
}
