/** `kvm-manager status`: what is installed, whether it runs and reaches libvirt, and what a person should know of. */
import { message } from "../lib/i18n/message.ts";
import { ownHelp } from "./own_help.ts";
import { join } from "node:path";
import { installed } from "../agent/system/install/install.ts";
import { hasSystemd, systemctl } from "../agent/system/install/system.ts";
import { certificateOf } from "../agent/system/doctor/certificate.ts";
import { asOwner } from "../agent/store/as_owner.ts";
import { lastBackup } from "../agent/store/state.ts";
import { ApiError } from "../lib/client/api.ts";
import type { Hang } from "../lib/contract/mod.ts";
import { layoutOf } from "../lib/system/install/layout.ts";
import { VERSION } from "../lib/version.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { EXIT, exitStatus } from "./exit.ts";
import { optionsAlone } from "./arguments.ts";
import { hostSettings, PLACE_OPTIONS, plainOutput } from "./host_settings.ts";
import { parseOrExit } from "./host_verb.ts";
import { formatAnswer } from "./verb/output.ts";
import { SOCKET_FILE } from "./environment.ts";

export const STATUS_HELP = () =>
  ownHelp({
    usage: "kvm-manager status [-o table|json|yaml] [--data-dir DIR] [--runtime-dir DIR] [--config FILE]",
    about: [
      message`Shows what is installed, whether the service runs and reaches libvirt, what does not respond, and when its state was saved last. Ends with 0 when the server answers and is connected to libvirt, else with 3.`,
    ],
  });

/** The result, or "unknown" if this user may not read it. */
async function orUnknown<T>(asked: Promise<T>): Promise<T | "unknown"> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return "unknown";
    throw error;
  }
}

async function unitState(): Promise<string> {
  if (!await hasSystemd()) return "systemd does not run here";
  const text = await systemctl("show", "--property=ActiveState,SubState,UnitFileState", "kvm-manager");
  const facts = Object.fromEntries(
    text.trim().split("\n").map((line) => line.split("=") as [string, string]),
  );
  return `${facts.ActiveState} (${facts.SubState}), at boot: ${facts.UnitFileState || "no unit"}`;
}

interface Live {
  readonly server: string;
  readonly libvirt: string | null;
  readonly vms: string | null;
  /** null while unknown. */
  readonly notResponding: readonly Omit<Hang, "vmId">[] | null;
  readonly status: number;
}

async function live(server: Server): Promise<Live> {
  try {
    const { connected, uri, error } = await server.call("get_connection_status", {}) as {
      connected: boolean;
      uri: string;
      error: string | null;
    };
    const libvirt = connected ? `connected to ${uri}` : `not connected to ${uri}: ${error ?? "not yet"}`;
    const hangs = await server.call("list_hangs", {}) as Hang[];
    const notResponding = hangs.map(({ vmId: _, ...shown }) => shown);
    if (!connected) {
      return { server: "answers", libvirt, vms: null, notResponding, status: EXIT.unavailable };
    }
    const vms = await server.call("get_vms", {}) as { state: string }[];
    const running = vms.filter(({ state }) => state === "running").length;
    return {
      server: "answers",
      libvirt,
      vms: `${vms.length}, ${running} running`,
      notResponding,
      status: EXIT.done,
    };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return {
      server: error.message,
      libvirt: null,
      vms: null,
      notResponding: null,
      status: exitStatus(error),
    };
  }
}

async function program(): Promise<string> {
  const records = await Promise.all(
    (["/usr/local", "/usr"] as const).map(async (prefix) => {
      const layout = layoutOf(prefix);
      const record = await installed({ root: "", layout });
      return record &&
        `${record.version} at ${layout.binary}${
          record.previous ? `, before it ${record.previous.version}` : ""
        }`;
    }),
  );
  return records.filter((text) => text !== undefined).join("; ") || "not installed";
}

/** Reads its arguments. @throws {Error} that says what is wrong */
export function readStatus(args: readonly string[]) {
  const values = optionsAlone(args, { output: { type: "string", short: "o" }, ...PLACE_OPTIONS });
  return { format: plainOutput(values.output), settings: hostSettings(PLACE_OPTIONS, values) };
}

/** Runs it; the exit status says whether all is well. */
export async function statusCommand(args: readonly string[]): Promise<number> {
  const given = parseOrExit(EXIT.usage, "status", () => readStatus(args));
  if (typeof given === "number") return given;
  const { settings, format } = given;
  const { status, ...now } = await live(
    serverOf({ kind: "socket", path: join(settings.runtimeDir, SOCKET_FILE) }),
  );
  const backup = await orUnknown(asOwner(settings.dataDir, () => lastBackup(settings.dataDir)));
  const certificate = await orUnknown(certificateOf(settings));
  console.log(
    await formatAnswer(
      {
        version: VERSION,
        installed: await program(),
        service: await unitState(),
        address: settings.listen.join(" "),
        ...now,
        lastBackup: backup === "unknown"
          ? backup
          : backup
          ? `${backup.createdAt} in ${backup.file}`
          : "never",
        certificateEnds: certificate === "unknown"
          ? certificate
          : certificate?.validUntil ?? "no certificate",
      },
      format,
    ),
  );
  return status;
}
