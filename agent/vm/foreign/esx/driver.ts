/** ESXi and vCenter as libvirt's `esx` and `vpx` drivers see them: signed in to, asked, and signed out of. */
import type { ForeignDomain } from "../../../../ffi/calls/domain.ts";
import { LibvirtError } from "../../../../ffi/error.ts";
import { SignInAnswers } from "../../../../ffi/sign_in_answers.ts";
import { WorkerPool } from "../../../../ffi/worker_pool.ts";
import { ContractError } from "../../../../lib/contract/mod.ts";
import { relayUri } from "../../../../lib/formats/foreign/vm/vmware_place.ts";
import { log } from "../../../log.ts";
import { within } from "../../../within.ts";
import { type EsxServer, unreachable } from "./place.ts";
import { EsxRelay, type VmxFile } from "./relay.ts";
import { message } from "../../../../lib/i18n/message.ts";

/** Milliseconds that libvirt has to sign out. */
const SIGN_OUT_MS = 2000;

/** A VM's definition. */
export interface EsxDefinition {
  /** The `.vmx` file, as libvirt has downloaded it. */
  readonly vmx: VmxFile;
  /** Definition converted by libvirt; undefined where it does not understand the file. */
  readonly xml: string | undefined;
}

/** libvirt's queries to an ESXi host or vCenter. */
export interface EsxDriver {
  domains(): Promise<ForeignDomain[]>;
  /** @throws {ContractError} */
  definition(uuid: string): Promise<EsxDefinition>;
}

/** curl, by which the drivers speak, would send what is for loopback to a proxy of the environment. @throws {ContractError} */
function requireNoProxy(): void {
  const proxy = ["http_proxy", "all_proxy", "ALL_PROXY"].find((name) => (Deno.env.get(name) ?? "") !== "");
  const excepted = Deno.env.get("no_proxy") ?? Deno.env.get("NO_PROXY") ?? "";
  if (
    proxy === undefined ||
    excepted.split(",").some((each) => each.trim() === "127.0.0.1" || each.trim() === "*")
  ) {
    return;
  }
  throw new ContractError("ForeignVmRefused", {
    reason:
      message`KVM Manager's environment has ${proxy}, which would see the password. Add 127.0.0.1 to no_proxy there`,
  });
}

/**
 * Signs in, does something, and signs out.
 *
 * @throws {ContractError} SourceLoginRefused, SourceUnreachable, and what `work` throws
 */
export async function withEsx<T>(
  server: EsxServer,
  login: { readonly username: string; readonly password: string },
  work: (driver: EsxDriver) => Promise<T>,
): Promise<T> {
  requireNoProxy();
  await using relay = new EsxRelay(server);
  const answers = new SignInAnswers(login);
  const pool = new WorkerPool({ uri: relayUri(server, relay.port), signIn: answers.signIn }, {
    warm: 1,
    most: 1,
  });
  const told = async <R>(call: () => Promise<R>): Promise<R> => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      if (relay.isLoginRefused || error.signIn === "refused") {
        throw new ContractError("SourceLoginRefused", { source: server.label }, { cause: error });
      }
      throw unreachable(server.label, relay.fault ?? error);
    }
  };
  try {
    return await work({
      domains: () => told(() => pool.call("foreignDomains")),
      definition: async (uuid) => {
        let xml: string | undefined;
        try {
          xml = await told(() => pool.call("foreignXml", { uuid, secure: false, inactive: true }));
        } catch (error) {
          // What the driver does not understand of a definition, our own reader may
          if (relay.vmx === undefined || relay.isLoginRefused) throw error;
          log.info("libvirt does not understand a definition", { error });
        }
        const { vmx } = relay;
        if (vmx === undefined) throw unreachable(server.label, "it gives no .vmx file of the VM");
        return { vmx, xml };
      },
    });
  } finally {
    pool.close();
    await within(SIGN_OUT_MS, relay.loggedOut);
    answers.leave();
  }
}
