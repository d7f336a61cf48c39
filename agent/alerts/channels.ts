/** How each kind of target is told: one table. Every connection goes to an address that was judged (`agent/outbound/fetch.ts`). */
import type { AlertChannel } from "../../lib/contract/mod.ts";
import type { AlertText } from "../../lib/alerts/text.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { parseAddress } from "../../lib/formats/ip/cidr.ts";
import { requireAllowedAddress, type Resolve, trusted } from "../outbound/fetch.ts";
import { deliveryFailure, MOST_ANSWER, NotDelivered, post } from "../outbound/post.ts";
import type { AlertTargetRecord, MessageItem } from "./records.ts";
import { urlHost } from "../../lib/text/url_host.ts";

/** An alert as it is sent. */
export interface OutgoingAlert {
  /** Stays the same over all tries, so that who gets it twice can tell. */
  readonly id: string;
  readonly text: AlertText;
  readonly items: readonly MessageItem[];
  readonly more: number;
  readonly at: number;
}

/** How something is sent: tests bring a name service of their own. */
export interface SendOptions {
  readonly signal: AbortSignal;
  readonly resolve?: Resolve;
  /** Milliseconds that a try may take. */
  readonly mostMs?: number;
}

/** Milliseconds that a try may take, however busily the other side answers. */
const MOST_MS = 90_000;
/** Milliseconds for a mail server to connect, greet and answer. */
const SMTP_MS = 20_000;
/** Posts JSON. @throws {NotDelivered} */
async function postJson(
  { privateAddresses }: AlertTargetRecord,
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  { signal, resolve }: SendOptions,
): Promise<void> {
  await post({
    url,
    privateAddresses,
    signal,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: new TextEncoder().encode(JSON.stringify(body)),
    ...(resolve && { resolve }),
  });
}

const bodyOf = ({ lines }: AlertText) => lines.join("\n");
const bearer = ({ secret }: AlertTargetRecord): Record<string, string> =>
  secret === undefined ? {} : { authorization: `Bearer ${secret}` };

/** Priorities of ntfy (1–5) and Gotify (0–10). */
const NTFY = { info: 3, warning: 4, critical: 5 } as const;
const GOTIFY = { info: 3, warning: 6, critical: 9 } as const;
const EMOJI = { info: "information_source", warning: "warning", critical: "rotating_light" } as const;

const SMTP_PORTS = { tls: 465, starttls: 587, none: 25 } as const;

/** A mail server as an address, to be judged like others. */
export const mailUrl = (host: string) => new URL(`smtp://${urlHost(host)}`);

/** Sends a mail. nodemailer encodes headers and addresses; none of them can hold a line break (the contract's patterns). */
async function mail(
  target: AlertTargetRecord,
  { id, text, at }: OutgoingAlert,
  options: SendOptions,
): Promise<void> {
  const { createTransport } = await import("nodemailer");
  const { smtpHost = "", smtpSecurity = "starttls", smtpUser, secret, mailFrom = "", mailTo = [] } = target;
  const { addresses: [address] } = await requireAllowedAddress(
    mailUrl(smtpHost),
    target.privateAddresses,
    options.resolve,
  );
  const ca = await trusted();
  const transport = createTransport({
    host: address!,
    port: target.smtpPort ?? SMTP_PORTS[smtpSecurity],
    secure: smtpSecurity === "tls",
    requireTLS: smtpSecurity === "starttls",
    ignoreTLS: smtpSecurity === "none",
    ...(smtpUser !== undefined && { auth: { user: smtpUser, pass: secret ?? "" } }),
    // The certificate is checked against the name, or against the address where there is no name
    tls: {
      ...(parseAddress(smtpHost) === undefined && { servername: smtpHost }),
      minVersion: "TLSv1.2",
      ...(ca !== undefined && { ca: [ca] }),
    },
    connectionTimeout: SMTP_MS,
    greetingTimeout: SMTP_MS,
    socketTimeout: SMTP_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const onAbort = () => transport.close();
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    await transport.sendMail({
      from: { name: "KVM Manager", address: mailFrom },
      to: mailTo.map((each) => ({ name: "", address: each })),
      subject: text.title,
      text: `${bodyOf(text)}\n`,
      date: new Date(at),
      messageId: `<${id}@${mailFrom.split("@")[1] ?? "kvm-manager"}>`,
      headers: { "Auto-Submitted": "auto-generated", "X-KVM-Manager-Message": id },
    });
  } catch (error) {
    const { responseCode } = error as { responseCode?: unknown };
    // 5yz: for good. What a server answers may quote what it was sent; passwords are not in it (they go as base64)
    const isFinal = typeof responseCode === "number" && responseCode >= 500;
    throw new NotDelivered(oneLine(messageOf(error), MOST_ANSWER), isFinal, { cause: error });
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    transport.close();
  }
}

/** The address of ntfy's server, and the topic. */
function ntfyPlace(text: string): { server: string; topic: string } {
  const url = new URL(text), parts = url.pathname.split("/").filter((part) => part !== "");
  const topic = parts.pop() ?? "";
  return {
    server: `${url.origin}/${parts.map((part) => `${part}/`).join("")}`,
    topic: decodeURIComponent(topic),
  };
}

type Channel = (target: AlertTargetRecord, message: OutgoingAlert, options: SendOptions) => Promise<void>;

const CHANNELS: Readonly<Record<AlertChannel, Channel>> = {
  email: mail,
  webhook: (target, { id, text, items, more, at }, options) => {
    const alerts = items.map(({ kind, incident }) => ({ event: kind, ...incident }));
    const body = { version: 1, id, sentAt: at, title: text.title, severity: text.severity, alerts, more };
    return postJson(
      target,
      target.url ?? "",
      body,
      { ...bearer(target), "x-kvm-manager-message": id },
      options,
    );
  },
  ntfy: (target, { text }, options) => {
    const { server, topic } = ntfyPlace(target.url ?? "");
    const { title, severity, isResolved } = text;
    const body = {
      topic,
      title,
      message: bodyOf(text),
      priority: isResolved ? 3 : NTFY[severity],
      tags: [isResolved ? "white_check_mark" : EMOJI[severity]],
    };
    return postJson(target, server, body, bearer(target), options);
  },
  gotify: (target, { text }, options) => {
    const { title, severity, isResolved } = text;
    const body = { title, message: bodyOf(text), priority: isResolved ? GOTIFY.info : GOTIFY[severity] };
    const url = `${(target.url ?? "").replace(/\/+$/, "")}/message`;
    return postJson(target, url, body, { "x-gotify-key": target.secret ?? "" }, options);
  },
  slack: (target, { text }, options) => {
    // Slack's own escapes, so that a VM's name is no link and mentions no user
    const plain = (line: string) =>
      line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const body = { text: [`*${plain(text.title)}*`, ...text.lines.map(plain)].join("\n") };
    return postJson(target, target.url ?? "", body, bearer(target), options);
  },
};

/**
 * Sends a message to a target, within a bounded time: a server that answers a letter at a time would otherwise keep every
 * other message from being sent.
 *
 * @throws {NotDelivered}, and why the signal was aborted
 */
export async function send(
  target: AlertTargetRecord,
  message: OutgoingAlert,
  options: SendOptions,
): Promise<void> {
  options.signal.throwIfAborted();
  // Its next try may be after the key is back
  if (target.unread !== undefined) {
    throw new NotDelivered("its secrets cannot be read: kvm-manager credential list says why", false);
  }
  const ms = options.mostMs ?? MOST_MS;
  const ended = new AbortController(), signal = AbortSignal.any([options.signal, ended.signal]);
  const late = setTimeout(() => ended.abort(), ms);
  const over = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
  over.catch(() => {/* told by the race, where it is still on */});
  try {
    // Raced: a mail's connection does not end by a signal, only by silence.
    await Promise.race([CHANNELS[target.channel](target, message, { ...options, signal }), over]);
  } catch (error) {
    if (ended.signal.aborted && !options.signal.aborted) {
      throw new NotDelivered(`it was not taken within ${ms / 1000} seconds`, false, { cause: error });
    }
    throw deliveryFailure(error, options.signal);
  } finally {
    clearTimeout(late);
  }
}
