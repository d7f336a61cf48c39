/**
 * Sends the latest figures to a receiver of OTLP over HTTP. What cannot be sent is a gap there, as here a scrape that was
 * missed: nothing is kept to be sent later, and nothing waits for it.
 */
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { DatabaseSync } from "node:sqlite";
import { ContractError, type Input, type MetricPush } from "../../lib/contract/mod.ts";
import { PUSH_INTERVAL } from "../../lib/contract/metric_push.ts";
import type { MetricFamily } from "../../lib/formats/exposition.ts";
import { otlpRefusal, otlpRequests } from "../../lib/formats/otlp.ts";
import { VERSION } from "../../lib/version.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import { UrlRefused } from "../outbound/errors.ts";
import { checkedUrl, type Resolve } from "../outbound/fetch.ts";
import { deliveryFailure, NotDelivered, post } from "../outbound/post.ts";
import { SEALED } from "../sealing/places.ts";
import { type Unread, withoutGiven } from "../sealing/sealed_values.ts";
import type { Store } from "../store/store.ts";
import { HOUR_MS } from "../../lib/duration.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

const gzipped = promisify(gzip);

/** Figures of a request: about 400 KB before they are packed, made in a few milliseconds. */
const MOST_POINTS = 2000;
/** Milliseconds that all requests of a sending may take. */
const MOST_MS = 60_000;
/** Milliseconds until the next try after a failure: doubled with each, up to the most. */
const BACK_OFF_MS = { least: 15_000, most: 900_000 } as const;
/** Milliseconds that a receiver may ask us to wait, at most. */
const MOST_RETRY_AFTER_MS = HOUR_MS;
/** Characters of a receiver's answer that are read. */
const MOST_ANSWER = 4096;
/** Path at which a receiver takes metrics, unless its address has one. */
const PATH = "/v1/metrics";

/** Stored settings. */
interface PushRecord {
  readonly enabled: boolean;
  readonly url?: string;
  /** Names and values. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly intervalSeconds: number;
  readonly ca: string;
  readonly privateAddresses: boolean;
  /** Its address or headers, where they cannot be read now. */
  readonly unread?: Unread | undefined;
}

const DEFAULT: PushRecord = {
  enabled: false,
  headers: [],
  intervalSeconds: PUSH_INTERVAL.usual,
  ca: "",
  privateAddresses: false,
};

/** Why nothing is sent where its secrets cannot be read. */
const UNREAD =
  "its address or headers cannot be read (kvm-manager credential list says why). Give them again";
/** Its only row. */
const ROW = "1";

/** The steps of its table. */
export const PUSH_MIGRATIONS = [
  `CREATE TABLE metrics_push (
     id     INTEGER PRIMARY KEY CHECK (id = 1),
     record TEXT NOT NULL  -- JSON: where figures are sent to; its headers may be secrets
   ) STRICT;`,
];

/** The latest figures of a host. */
export interface PushedHost {
  readonly id: string;
  readonly hostname: string;
  /** When they were taken, milliseconds since 1970. */
  readonly takenAt: number;
  readonly families: Iterable<MetricFamily>;
}

/** Services for sending metrics: the database, the clock, the latest figures, and name resolution. */
export interface PushWorld {
  readonly store: Store;
  readonly clock: Clock;
  /** The hosts whose figures are of now. */
  readonly latest: () => readonly PushedHost[];
  readonly resolve?: Resolve;
}

const refuse = (field: string, reason: Sentence) =>
  new ContractError("InvalidInput", { reason: message`${field} ${reason}`, field });

/** Names that are ours to send. */
const OWN_HEADERS = /^(host|connection|content-.*|transfer-encoding|expect|upgrade|te|trailer)$/i;

/** The headers that lines of `Name: value` say. @throws {ContractError} InvalidInput */
function headersIn(text: string): PushRecord["headers"] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "").map((line) => {
    const found = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)\s*$/
      .exec(line);
    if (found === null) throw refuse("headers", "must be lines of Name: value");
    if (OWN_HEADERS.test(found[1]!)) {
      throw refuse("headers", message`must not have ${found[1]}: it is set by itself`);
    }
    return [found[1]!, found[2]!] as const;
  });
}

/** The address that is posted to. @throws {ContractError} InvalidInput */
function urlIn(text: string): string {
  try {
    const url = checkedUrl(text);
    if (url.pathname === "/" || url.pathname === "") url.pathname = PATH;
    url.hash = "";
    return url.href;
  } catch (error) {
    if (!(error instanceof UrlRefused)) throw error;
    throw refuse("url", message`cannot be used: ${error.reason}`);
  }
}

/** @throws {ContractError} InvalidInput */
function caIn(text: string): string {
  const parts = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (text.trim() !== "" && parts.length === 0) throw refuse("ca", "must be certificates in PEM");
  for (const part of parts) {
    try {
      void new X509Certificate(part);
    } catch (error) {
      throw new ContractError("InvalidInput", {
        reason: "ca has a certificate that cannot be read",
        field: "ca",
      }, {
        cause: error,
      });
    }
  }
  return parts.join("\n");
}

export class MetricPusher {
  readonly #world: PushWorld;
  #record: PushRecord | undefined;
  #lastSentAt: number | null = null;
  #lastPoints = 0;
  #trouble: string | undefined;
  #failures = 0;
  /** By the monotonic clock. */
  #nextAt = 0;
  /** When the figures were taken that were sent last, by host. */
  readonly #sent = new Map<string, number>();
  /** Changes with the settings: what was begun with older ones says nothing of these. */
  #version = 0;

  constructor(world: PushWorld) {
    this.#world = world;
    world.store.attach((database) => this.#read(database));
  }

  #read(database: DatabaseSync): void {
    const row = database.prepare("SELECT record FROM metrics_push WHERE id = 1").get();
    const { secrets } = this.#world.store;
    const stored = row !== undefined &&
      secrets.opened<Partial<PushRecord>>(SEALED.metricsPush, ROW, JSON.parse(String(row.record)));
    this.#record = { ...DEFAULT, ...stored };
  }

  /** Whether the latest figures are wanted. */
  get isOn(): boolean {
    const { enabled, url, unread } = this.#record ?? {};
    return enabled === true && url !== undefined && unread === undefined;
  }

  /** @throws {ContractError} StoreUnavailable */
  #require(): PushRecord {
    if (this.#record === undefined) this.#world.store.open();
    if (this.#record === undefined) throw this.#unavailable();
    return this.#record;
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#world.store.trouble ?? "it is not open" });
  }

  /** Settings without secrets. @throws {ContractError} StoreUnavailable */
  show(): MetricPush {
    const { url, headers, unread, ...rest } = this.#require(), { clock } = this.#world;
    return {
      ...rest,
      address: url === undefined ? null : new URL(url).origin,
      headers: headers.map(([name]) => name),
      lastSentAt: this.#lastSentAt,
      lastPoints: this.#lastPoints,
      ...(unread !== undefined && { trouble: UNREAD }),
      ...(this.#trouble !== undefined && {
        trouble: this.#trouble,
        ...(this.isOn &&
          { nextTryAt: Math.round(clock.now() + Math.max(0, this.#nextAt - clock.monotonic())) }),
      }),
    };
  }

  /** @throws {ContractError} InvalidInput, StoreUnavailable */
  set({ url, headers, clearHeaders = false, ca, ...change }: Input<"update_metric_push">): void {
    const before = this.#require();
    const after: PushRecord = {
      ...before,
      ...change,
      ...(url !== undefined && { url: urlIn(url) }),
      ...(ca !== undefined && { ca: caIn(ca) }),
      headers: headers === undefined ? (clearHeaders ? [] : before.headers) : headersIn(headers),
    };
    if (after.enabled && after.url === undefined) throw refuse("url", "is needed");
    const areUnread = before.unread?.headers !== undefined && headers === undefined && !clearHeaders;
    if (after.enabled && areUnread) {
      throw refuse("headers", "must be given again: those of before cannot be read");
    }
    const isOther = before.url !== undefined && new URL(after.url!).origin !== new URL(before.url).origin;
    if (isOther && before.headers.length > 0 && headers === undefined && !clearHeaders) {
      throw refuse("headers", "must be given again: the server is another one");
    }
    const { store } = this.#world, kept = areUnread ? { ...after, headers: undefined } : after;
    const text = JSON.stringify(store.secrets.closed(SEALED.metricsPush, ROW, kept));
    const isWritten = store.write(() => {
      store.database!.prepare(
        "INSERT INTO metrics_push (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(text);
    });
    if (!isWritten) throw this.#unavailable();
    this.#record = { ...withoutGiven(kept), headers: after.headers };
    this.#trouble = undefined;
    this.#failures = this.#nextAt = 0;
    this.#version++;
    this.#sent.clear();
  }

  /** Sends what is new, where that is due. A failure is said, and tried again later. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, latest } = this.#world;
    if (!this.isOn || clock.monotonic() < this.#nextAt) return;
    const fresh = latest().filter(({ id, takenAt }) => this.#sent.get(id) !== takenAt);
    if (fresh.length === 0) return;
    const version = this.#version, { intervalSeconds, url } = this.#record!;
    const address = new URL(url!).origin;
    try {
      const points = await this.#send(fresh, stop);
      if (version !== this.#version) return;
      if (this.#failures > 0) log.info("metrics are sent again", { address });
      this.#done(points, fresh);
      this.#nextAt = clock.monotonic() + intervalSeconds * 1000;
    } catch (error) {
      if (stop.aborted || version !== this.#version) return;
      if (!(error instanceof NotDelivered)) throw error;
      if (this.#failures++ === 0) log.warn("metrics cannot be sent", { address, reason: error.message });
      this.#trouble = error.message;
      this.#nextAt = clock.monotonic() + this.#waitAfter(error);
    }
  }

  /** Milliseconds until the next try. What another try cannot help is tried seldom: the receiver may be set right. */
  #waitAfter({ isFinal, retryAfter = 0 }: NotDelivered): number {
    const { least, most } = BACK_OFF_MS;
    const wait = isFinal ? most : Math.min(most, least * 2 ** Math.min(this.#failures - 1, 10));
    return Math.max(wait, Math.min(retryAfter * 1000, MOST_RETRY_AFTER_MS));
  }

  #done(points: number, hosts: readonly PushedHost[]): void {
    this.#failures = 0;
    this.#trouble = undefined;
    this.#lastSentAt = this.#world.clock.now();
    this.#lastPoints = points;
    for (const { id, takenAt } of hosts) this.#sent.set(id, takenAt);
  }

  /** Sends the latest figures at once. @throws {ContractError} MetricsNotSent, StoreUnavailable */
  async test(stop: AbortSignal): Promise<number> {
    if (this.#require().unread !== undefined) {
      throw new ContractError("MetricsNotSent", { reason: UNREAD });
    }
    if (this.#require().url === undefined) {
      throw new ContractError("MetricsNotSent", { reason: "no address is set" });
    }
    const hosts = this.#world.latest();
    if (hosts.length === 0) {
      throw new ContractError("MetricsNotSent", {
        reason: "no figures were taken yet. Try it again in a minute",
      });
    }
    try {
      const points = await this.#send(hosts, stop);
      this.#done(points, hosts);
      return points;
    } catch (error) {
      if (!(error instanceof NotDelivered)) throw error;
      this.#trouble = error.message;
      throw new ContractError("MetricsNotSent", { reason: error.message }, { cause: error });
    }
  }

  /** @returns how many figures were taken @throws {NotDelivered}, and why it was stopped */
  async #send(hosts: readonly PushedHost[], stop: AbortSignal): Promise<number> {
    const { url, headers, ca, privateAddresses } = this.#require(), { resolve } = this.#world;
    const late = AbortSignal.timeout(MOST_MS), signal = AbortSignal.any([stop, late]);
    let sent = 0;
    try {
      for (const { hostname, takenAt, families } of hosts) {
        const source = {
          resource: {
            "service.name": "kvm-manager",
            "service.version": VERSION,
            "service.instance.id": hostname,
            "host.name": hostname,
          },
          scope: { name: "kvm-manager", version: VERSION },
          at: takenAt,
        };
        for (const { request, points } of otlpRequests(source, families, MOST_POINTS)) {
          const body = await gzipped(Buffer.from(JSON.stringify(request)));
          const answer = await post({
            url: url!,
            body,
            signal,
            privateAddresses,
            headers: {
              ...Object.fromEntries(headers),
              "content-type": "application/json",
              "content-encoding": "gzip",
            },
            ...(ca !== "" && { ca }),
            ...(resolve && { resolve }),
          }, MOST_ANSWER);
          const refusal = otlpRefusal(answer);
          if (refusal !== undefined) throw new NotDelivered(refusal, true);
          sent += points;
          await setImmediate(); // others get their turn
        }
      }
      return sent;
    } catch (error) {
      if (late.aborted && !stop.aborted) {
        throw new NotDelivered(`it was not taken within ${MOST_MS / 1000} seconds`, false, { cause: error });
      }
      throw deliveryFailure(error, stop);
    }
  }
}
