/** The commands on targets of messages. Their addresses and secrets are taken, and never given. */
import {
  type AlertChannel,
  type AlertTarget,
  type alertTargetCommands,
  ContractError,
  type Input,
  MOST_ALERT_TARGETS,
} from "../../lib/contract/mod.ts";
import type { RuleRefusal } from "../../lib/alerts/rule.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import type { PeerTargets } from "../hosts/linked/peer_targets.ts";
import { BrokenOff, outboundRefusal, UrlRefused } from "../outbound/errors.ts";
import { checkedUrl, requireAllowedAddress } from "../outbound/fetch.ts";
import { mailUrl } from "./channels.ts";
import type { Unread } from "../sealing/sealed_values.ts";
import type { Delivery } from "./delivery.ts";
import { invalid } from "./handlers.ts";
import type { AlertRecords, AlertTargetRecord } from "./records.ts";
import { message } from "../../lib/i18n/message.ts";

/** Services for the commands on targets of messages: their records, the delivery, and the end of KVM Manager. */
export interface AlertTargetContext {
  readonly records: AlertRecords;
  readonly delivery: Delivery;
  /** Aborted when KVM Manager stops. */
  readonly stopping: AbortSignal;
}

type NewTarget = Input<"create_alert_target">;

const MAIL_FIELDS = ["smtpHost", "smtpPort", "smtpSecurity", "smtpUser", "mailFrom", "mailTo"] as const;
/** Kind of target → fields that it needs. */
const NEEDED: Readonly<Record<AlertChannel, readonly (keyof NewTarget)[]>> = {
  email: ["smtpHost", "mailFrom", "mailTo"],
  webhook: ["url"],
  ntfy: ["url"],
  gotify: ["url", "secret"],
  slack: ["url"],
};

/**
 * Refusal of a target as a whole; its fields fit the schema. @param unread fields that exist, and cannot be
 * read
 */
function refusalOf(input: NewTarget, unread: Unread = {}): RuleRefusal | undefined {
  const isMail = input.channel === "email";
  const missing = NEEDED[input.channel].find((field) => input[field] === undefined && !(field in unread));
  if (missing !== undefined) return { field: missing, reason: message`is needed for ${input.channel}` };
  const foreign = (isMail ? ["url"] as const : MAIL_FIELDS).find((field) => input[field] !== undefined);
  if (foreign !== undefined) return { field: foreign, reason: message`must be empty for ${input.channel}` };
  if (isMail && input.secret !== undefined && input.smtpUser === undefined) {
    return { field: "smtpUser", reason: "is needed with a password" };
  }
  if (isMail && input.smtpUser !== undefined && input.smtpSecurity === "none" && !input.privateAddresses) {
    return {
      field: "smtpSecurity",
      reason: "must be tls or starttls: the password would be sent unencrypted",
    };
  }
  if (isMail || input.url === undefined) return undefined;
  try {
    const { pathname } = checkedUrl(input.url);
    const hasTopic = pathname.split("/").some((part) => part !== "");
    return input.channel === "ntfy" && !hasTopic
      ? { field: "url", reason: "must end in the topic" }
      : undefined;
  } catch (error) {
    if (!(error instanceof UrlRefused)) throw error;
    return { field: "url", reason: message`cannot be used: ${error.reason}` };
  }
}

/** Milliseconds for the name service: what it has not told by then is judged when something is sent. */
const NAME_MS = 3000;

/**
 * Refuses a target to which nothing would be sent: whoever sets it up is told, not who waits for an alert. A name that is not
 * known now may be by the time something is sent, which judges it again.
 *
 * @throws {ContractError} AlertTargetRefused
 */
async function requireAllowed(
  { channel, url = "", smtpHost = "", privateAddresses }: AlertTargetRecord,
): Promise<void> {
  const server = channel === "email" ? mailUrl(smtpHost) : checkedUrl(url);
  const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
  const timer = setTimeout(giveUp, NAME_MS);
  try {
    await Promise.race([requireAllowedAddress(server, privateAddresses), late]);
  } catch (error) {
    if (error instanceof BrokenOff) return;
    const reason = outboundRefusal(error);
    if (reason === undefined) throw error;
    throw new ContractError("AlertTargetRefused", { host: server.hostname, reason }, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The target after a change. */
function changed(
  target: AlertTargetRecord,
  change: Omit<Input<"update_alert_target">, "targetId">,
): AlertTargetRecord {
  const { replace = false, ...fields } = change;
  if (!replace) return { ...target, ...fields };
  const { smtpPort: _port, smtpUser: _user, secret, unread, ...base } = target;
  // A password goes with its user's name; the token of the others is kept
  const keepsSecret = target.channel !== "email" || fields.smtpUser !== undefined;
  return {
    ...base,
    ...(keepsSecret && unread !== undefined && { unread }),
    privateAddresses: false,
    ...(keepsSecret && secret !== undefined && { secret }),
    ...fields,
  };
}

/** The server of an address; empty for one that cannot be read now. */
const originOf = (url: string | undefined): string => url === undefined ? "" : new URL(url).origin;

/** Server that gets a target's secret. */
const serverOf = ({ channel, url, smtpHost, smtpPort, smtpSecurity }: AlertTargetRecord): string =>
  channel === "email" ? `${smtpHost}:${smtpPort}:${smtpSecurity}` : originOf(url);

/** A secret that was taken for one server is not sent to another. */
function strangerRefusal(
  before: AlertTargetRecord,
  after: AlertTargetRecord,
  isGiven: boolean,
): RuleRefusal | undefined {
  const isKept = (after.secret ?? after.unread?.secret) !== undefined && !isGiven;
  return isKept && serverOf(before) !== serverOf(after)
    ? { field: "secret", reason: "must be given again: the server is another one" }
    : undefined;
}

/** Address of a target without its path and its query, which may be secret. */
function addressOf({ channel, url, smtpHost, mailTo = [] }: AlertTargetRecord): string {
  return channel === "email" ? `${mailTo.join(", ")} (${smtpHost})` : originOf(url);
}

/** The fields that name the user who sets a target up. */
const setBy = ({ name, link }: Principal): Pick<AlertTargetRecord, "setBy" | "peerId"> => ({
  setBy: name,
  ...(link !== undefined && { peerId: link.peerId }),
});

/** Deletes a target, and the messages that wait for it. */
function deleteTarget(records: AlertRecords, targetId: string): void {
  records.delete(records.targets, targetId);
  for (const message of records.messages.all) {
    if (message.targetId === targetId) records.delete(records.messages, message.id);
  }
}

/** The targets of KVM Managers that may act here, or could. */
export function peerTargets(records: AlertRecords): PeerTargets {
  const of = (peerId: string) => records.targets.all.filter((target) => target.peerId === peerId);
  return {
    names: (peerId) => of(peerId).map(({ name }) => name),
    remove: (peerId) => {
      if (of(peerId).length > 0) records.require();
      for (const { id } of of(peerId)) deleteTarget(records, id);
    },
  };
}

/** A handler for each of them. */
export function alertTargetHandlers(
  { records, delivery, stopping }: AlertTargetContext,
): Pick<Handlers, keyof typeof alertTargetCommands> {
  const requireTarget = (targetId: string): AlertTargetRecord => {
    const target = records.require().targets.get(targetId);
    if (target === undefined) throw new ContractError("AlertTargetNotFound", { targetId });
    return target;
  };
  const shown = (target: AlertTargetRecord): AlertTarget => {
    const { url: _url, secret, unread, ...rest } = target;
    const waiting = records.messages.all.filter(({ targetId }) => targetId === target.id).length;
    return {
      ...rest,
      address: addressOf(target),
      hasSecret: (secret ?? unread?.secret) !== undefined,
      waiting,
      ...delivery.status(target.id),
    };
  };
  return {
    list_alert_targets: () => records.require().targets.all.map(shown),
    create_alert_target: async (input, { principal }) => {
      if (records.require().targets.size >= MOST_ALERT_TARGETS) {
        throw new ContractError("TooManyAlerts", { limit: MOST_ALERT_TARGETS, what: "targets" });
      }
      const refusal = refusalOf(input);
      if (refusal !== undefined) throw invalid(refusal);
      const target: AlertTargetRecord = {
        id: crypto.randomUUID(),
        ...{ enabled: true, minSeverity: "warning", privateAddresses: false } as const,
        ...input,
        ...setBy(principal),
      };
      await requireAllowed(target);
      records.put(records.targets, target);
      return shown(target);
    },
    update_alert_target: async ({ targetId, ...change }, { principal }) => {
      const before = requireTarget(targetId), { peerId: _by, ...rest } = changed(before, change);
      const target: AlertTargetRecord = { ...rest, ...setBy(principal) };
      const refusal = refusalOf(target, target.unread) ??
        strangerRefusal(before, target, change.secret !== undefined);
      if (refusal !== undefined) throw invalid(refusal);
      const isElsewhere = serverOf(before) !== serverOf(target) ||
        before.privateAddresses !== target.privateAddresses;
      if (isElsewhere) await requireAllowed(target);
      records.put(records.targets, target);
      return shown(target);
    },
    enable_alert_target: ({ targetId, enabled }) => {
      records.put(records.targets, { ...requireTarget(targetId), enabled });
      return null;
    },
    delete_alert_target: ({ targetId }) => {
      requireTarget(targetId);
      deleteTarget(records, targetId);
      return null;
    },
    test_alert_target: async ({ targetId }, { principal }) => {
      await delivery.test(requireTarget(targetId), principal.name);
      return null;
    },
    deliver_alerts: async () => {
      records.require();
      await delivery.run(stopping, true);
      return null;
    },
  };
}
