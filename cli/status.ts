/** `kvm-manager status`: what is installed, whether it runs and reaches libvirt, and what a person should know of. */
import {
  isRenderable,
  type Message,
  message,
  render,
  renderPlain,
  type Sentence,
} from "../lib/i18n/message.ts";
import { ownHelp } from "./own_help.ts";
import { join } from "node:path";
import { installed } from "../agent/system/install/install.ts";
import { hasSystemd, systemctl } from "../agent/system/install/system.ts";
import { certificateOf } from "../agent/system/doctor/certificate.ts";
import type { Settings } from "../agent/settings.ts";
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
async function orUnknown(asked: Promise<Sentence>): Promise<Sentence> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return message`unknown`;
    throw error;
  }
}

async function unitState(): Promise<Message> {
  if (!await hasSystemd()) return message`systemd does not run here`;
  const text = await systemctl("show", "--property=ActiveState,SubState,UnitFileState", "kvm-manager");
  const facts = Object.fromEntries(
    text.trim().split("\n").map((line) => line.split("=") as [string, string]),
  );
  return message`${facts.ActiveState} (${facts.SubState}), at boot: ${
    facts.UnitFileState || message`no unit`
  }`;
}

interface Live {
  readonly server: Sentence;
  readonly libvirt: Sentence | null;
  readonly vms: Sentence | null;
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
    const libvirt = connected
      ? message`connected to ${uri}`
      : message`not connected to ${uri}: ${error ?? message`not yet`}`;
    const hangs = await server.call("list_hangs", {}) as Hang[];
    const notResponding = hangs.map(({ vmId: _, ...shown }) => shown);
    if (!connected) {
      return { server: message`answers`, libvirt, vms: null, notResponding, status: EXIT.unavailable };
    }
    const vms = await server.call("get_vms", {}) as { state: string }[];
    const running = vms.filter(({ state }) => state === "running").length;
    return {
      server: message`answers`,
      libvirt,
      vms: message`${vms.length}, ${running} running`,
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

async function program(): Promise<Message> {
  const records = await Promise.all(
    (["/usr/local", "/usr"] as const).map(async (prefix) => {
      const layout = layoutOf(prefix);
      const record = await installed({ root: "", layout });
      if (record === undefined) return undefined;
      const { version, previous } = record;
      return previous === undefined
        ? message`${version} at ${layout.binary}`
        : message`${version} at ${layout.binary}, before it ${previous.version}`;
    }),
  );
  const [first, second] = records.filter((each) => each !== undefined);
  if (first === undefined) return message`not installed`;
  return second === undefined ? first : message`${first}; ${second}`;
}

async function savedAt(dataDir: string): Promise<Message> {
  const backup = await asOwner(dataDir, () => lastBackup(dataDir));
  return backup ? message`${backup.createdAt} in ${backup.file}` : message`never`;
}

async function certificateEnd(settings: Settings): Promise<Sentence> {
  return (await certificateOf(settings))?.validUntil ?? message`no certificate`;
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
  const told = {
    version: VERSION,
    installed: await program(),
    service: await unitState(),
    address: settings.listen.join(" "),
    ...now,
    lastBackup: await orUnknown(savedAt(settings.dataDir)),
    certificateEnds: await orUnknown(certificateEnd(settings)),
  };
  // Programs read English
  const said = format === "table" ? render : renderPlain;
  const answer = Object.entries(told).map((
    [field, value],
  ) => [field, isRenderable(value) ? said(value) : value]);
  console.log(await formatAnswer(Object.fromEntries(answer), format));
  return status;
}
