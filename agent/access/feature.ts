/** Accounts, roles, sessions, tokens, passkeys, and the audit of it all. */
import type {
  accessCommands,
  auditCommands,
  passkeyCommands,
  sshKeyCommands,
} from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { AuditRetentionPolicy } from "../store/audit_retention.ts";
import { auditHandlers } from "./audit_handlers.ts";
import { grantCoversOf, releaseHostGrants, releaseVmGrants } from "./covers.ts";
import { accessHandlers } from "./handlers.ts";
import { SSH_KEY_MIGRATIONS } from "./ssh_keys.ts";
import { passkeyHandlers } from "./passkey_handlers.ts";

/** Milliseconds between looks at what has run out. */
const SESSIONS_MS = 30_000;
/** Milliseconds between questions to the host about its accounts that are signed in. */
const HOST_ACCOUNTS_MS = 30_000;
/** Milliseconds between looks at entries that are older than the policy keeps. */
const RETENTION_MS = 15 * 60_000;
/** Milliseconds between looks at refusals whose sum is due. */
const REFUSALS_MS = 10_000;

export const accessFeature = feature<keyof typeof accessCommands | keyof typeof sshKeyCommands>({
  name: "access",
  migrations: SSH_KEY_MIGRATIONS,
  open: (app) => {
    app.coverage.add(() => grantCoversOf(app.access));
    app.access.accounts.onReplaced = ({ name, hostUid }, uid) => {
      const message =
        `The account ${name} of the host has the uid ${uid}, and had ${hostUid}: it is another person's. ` +
        "The sessions, API tokens, passkeys and one-time codes of before have ended";
      const by = { actor: "kvm-manager", door: "agent", result: "event" } as const;
      app.activity.record({ ...by, action: "account-replaced", message });
    };
    return {
      handlers: accessHandlers({
        access: app.access,
        sshKeys: app.sshKeys,
        coverage: app.coverage,
        activity: app.activity,
        address: () => app.doors?.address ?? "",
        hostname: () => app.hosts.local.inventory.hostname,
        hostId: (host) => app.places.hostOf({ host }),
        projectId: (project) => app.projects.require(project).id,
      }),
      periodic: [
        { name: "sessions", every: () => SESSIONS_MS, run: () => app.access.credentials.tidy() },
        {
          name: "accounts of the host",
          every: () => HOST_ACCOUNTS_MS,
          run: (signal) => app.access.signIn.askHostAgain(signal),
        },
      ],
      stop: () => app.access.credentials.tidy(),
      forgetHost: (hostId) => void releaseHostGrants(app.access, hostId),
      hostAdded: (hostId) => void releaseHostGrants(app.access, hostId),
      host: () => ({ replaced: (vmId) => releaseVmGrants(app.access, vmId) }),
    };
  },
});

export const passkeyFeature = feature<keyof typeof passkeyCommands>({
  name: "passkeys",
  open: ({ access }) => ({ handlers: passkeyHandlers(access) }),
});

export const auditFeature = feature<keyof typeof auditCommands>({
  name: "audit",
  open: ({ store, activity, refusals, drift, clock }) => {
    const retention = new AuditRetentionPolicy(store, activity, drift, clock);
    return {
      handlers: auditHandlers(retention),
      periodic: [
        {
          name: "audit retention",
          every: () => RETENTION_MS,
          run: async (signal) => void await retention.prune(signal),
        },
        { name: "refusals", every: () => REFUSALS_MS, run: () => refusals.tidy() },
      ],
      stop: () => refusals.close(),
    };
  },
});
