/** The doors on TCP, as the settings want them: where, with which certificate, behind which proxies. */
import { fileSealing } from "../sealing/secrets.ts";
import { translated } from "../../lib/i18n/locale.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import { Certificates } from "../system/certificate/certificates.ts";
import type { Settings } from "../settings.ts";
import { SettingsError } from "../settings_error.ts";
import { basePath, ProxyHeaders, proxySubnet } from "./proxy_headers.ts";
import { Rate } from "../limits.ts";
import { isLoopback, parseListen } from "../../lib/network/listen_address.ts";
import { ownNames } from "./names.ts";
import { type Answer, type Listener, listenTcp } from "./server.ts";
import type { Admit } from "./websocket.ts";

type ListenerSettings = Pick<
  Settings,
  | "listen"
  | "grpcListen"
  | "tlsCert"
  | "tlsKey"
  | "hsts"
  | "hostName"
  | "trustedProxy"
  | "basePath"
  | "dataDir"
  | "demo"
>;

/** The doors, and what is known of them. */
export interface Listeners {
  /** The certificate of those with TLS; undefined where none has. */
  readonly certificates: Certificates | undefined;
  /** The proxies in front of them. */
  readonly arrivals: ProxyHeaders;
  /** Path below which a proxy serves us; empty for none. */
  readonly base: string;
  /** Addresses that they listen on, once open. */
  readonly addresses: readonly string[];
  /** Address of the pages for users. */
  readonly address: string;
  /** Opens them: all or none. @throws {Error} */
  open(answer: Answer, admit: Admit): Promise<Listener[]>;
}

/** Runs what reads a setting; its error names the setting. @throws {SettingsError} */
function reading<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SettingsError(`--${flag}: ${translated(messageOf(error))}`);
  }
}

/** A host name of the settings, as browsers send it. @throws {Error} */
function hostName(text: string): string {
  const name = text.toLowerCase();
  if (/^(?:[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[?[0-9a-f:.]*:[0-9a-f:.]*\]?)(?::\d{1,5})?$/.test(name)) {
    return name;
  }
  throw new Error(render(message`${JSON.stringify(text)} is no host name like kvm.example.org`));
}

/** The files of the settings; undefined for a certificate of our own. @throws {SettingsError} */
function filesOf({ tlsCert, tlsKey }: ListenerSettings): { cert: string; key: string } | undefined {
  if (tlsCert === "auto" && tlsKey === "auto") return undefined;
  if (tlsCert === "auto" || tlsKey === "auto") {
    throw new SettingsError("--tls-cert and --tls-key belong together: give both, or neither");
  }
  return { cert: tlsCert, key: tlsKey };
}

/**
 * Reads the settings of the doors, and the certificate where one is needed.
 *
 * @throws {SettingsError | PairError} saying which setting is wrong, and how
 */
export async function listenersOf(settings: ListenerSettings): Promise<Listeners> {
  const places = settings.listen.map((at) => reading("listen", () => ({ at, ...parseListen(at) })));
  if (places.length === 0) throw new SettingsError("--listen names no address");
  if (settings.demo && !places.every(({ hostname }) => isLoopback(hostname))) {
    throw new SettingsError("--demo lets in whoever comes: it listens on loopback alone");
  }
  const grpcPlaces = settings.grpcListen.filter((at) => at !== "socket")
    .map((at) => reading("grpc-listen", () => parseListen(at)));
  if (settings.demo && !grpcPlaces.every(({ hostname }) => isLoopback(hostname))) {
    throw new SettingsError("--demo lets in whoever comes: gRPC listens on loopback alone");
  }
  const proxies = settings.trustedProxy.map((text) => reading("trusted-proxy", () => proxySubnet(text)));
  const hostNames = settings.hostName.map((text) => reading("host-name", () => hostName(text)));
  const base = reading("base-path", () => basePath(settings.basePath));
  const files = filesOf(settings);
  const plainNames = hostNames.map((name) => name.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
  const certificates = [...places, ...grpcPlaces].some(({ secure }) => secure)
    ? await Certificates.open({
      files,
      dataDir: settings.dataDir,
      names: () => [...new Set([...plainNames, ...ownNames()])],
      sealing: fileSealing(settings.dataDir),
    })
    : undefined;
  const addresses: string[] = [];
  const { hsts } = settings;
  const arrivals = new ProxyHeaders(proxies, base), rate = new Rate();
  return {
    certificates,
    arrivals,
    base,
    addresses,
    get address() {
      return (addresses[0] ?? "") + base;
    },
    async open(answer, admit) {
      const opened: Listener[] = [];
      try {
        for (const { at } of places) {
          opened.push(
            await listenTcp(at, answer, { admit, certificates, hsts, hostNames, arrivals, base, rate }),
          );
        }
      } catch (error) {
        await Promise.all(opened.map((listener) => listener.close()));
        throw error;
      }
      addresses.push(...opened.map(({ address }) => address));
      return opened;
    },
  };
}
