/** The commands on keys, certificates and passwords of KVM Manager. */
import {
  ContractError,
  type credentialCommands,
  type HostFault,
  type ROTATED_CREDENTIALS,
} from "../../../lib/contract/mod.ts";
import type { Api } from "../../../lib/contract/api.ts";
import { Mutex } from "../../../lib/mutex.ts";
import type { Principal } from "../../access.ts";
import type { Handlers } from "../../dispatch.ts";
import type { EventHub } from "../../events/hub.ts";
import { KeyFileError } from "../../sealing/key_file.ts";
import { rotateSshKey } from "../ssh/rotate_key.ts";
import { withSsh } from "../ssh/with_ssh.ts";
import { allCredentials, type CredentialSources, storeUnavailable, unreadFaults } from "./list.ts";

type RotatedCredential = typeof ROTATED_CREDENTIALS[number];

/** Services for the commands on credentials: the sources of their list, events, and the API as a user. */
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
  const rotateEncryption = () => {
    const { store } = app, database = store.open();
    // One whose file is gone must not get another key: what is put back in its place has this one
    store.check();
    if (database === undefined || store.trouble !== null) throw storeUnavailable(store);
    try {
      store.secrets.rotate(database);
    } catch (error) {
      if (error instanceof ContractError) throw error;
      if (error instanceof KeyFileError) {
        throw new ContractError("EncryptionKeyMissing", { reason: error.message }, { cause: error });
      }
      store.fail(error);
      throw storeUnavailable(store, error);
    }
    return { publicKey: store.secrets.keyId!, faults: unreadFaults(store, database) };
  };
  const rotate = (credentialId: RotatedCredential, force: boolean) => {
    if (credentialId === "encryption-key") return Promise.resolve().then(rotateEncryption);
    return credentialId === "link-key" ? rotateLinkKey() : withSsh(() => rotateSsh(force));
  };
  return {
    list_credentials: async (_input, { principal }) => {
      const api = app.apiFor(principal);
      const [alerts, backups, push] = await Promise.all([
        api.listAlertTargets(),
        api.listBackupTargets(),
        api.getMetricPush(),
      ]);
      return await withSsh(() => allCredentials(app, { alerts, backups, push }, faults));
    },
    rotate_credential: ({ credentialId, force = false }) => rotations.run(() => rotate(credentialId, force)),
  };
}
