/** `kvm-manager serve`: the agent and its doors. */
import { join } from "node:path";
import { Application } from "../agent/app.ts";
import { findLanguages, LOCALES_VARIABLE } from "../agent/i18n/catalogs.ts";
import { SYSTEM_CLOCK } from "../agent/clock.ts";
import { openGrpc } from "../agent/grpc/open.ts";
import { listenersOf } from "../agent/http/listeners.ts";
import { type Listener, listenSocket } from "../agent/http/server.ts";
import { socketRule } from "../agent/http/socket_peers.ts";
import { entry, type Pages } from "../agent/http/entry.ts";
import { log, setLogLevel } from "../agent/log.ts";
import { readSettings, SETTINGS, type Settings, SettingsError, settingsHelp } from "../agent/settings.ts";
import { setBasePath } from "../lib/fresh/base.ts";
import { translated } from "../lib/i18n/locale.ts";
import { type Message, message, render } from "../lib/i18n/message.ts";
import { messageOf } from "../lib/text/message.ts";
import { VERSION } from "../lib/version.ts";
import { type Demo, enterDemo } from "../agent/demo/mod.ts";
import { optionsAlone } from "./arguments.ts";
import { environment, SOCKET_FILE } from "./environment.ts";
import { EXIT } from "./exit.ts";
import { printUsageError } from "./host_verb.ts";
import { speakShellLanguage } from "./language.ts";
import { ownHelp } from "./own_help.ts";
import { UsageError } from "./verb/values.ts";
import { requireLocalDisk } from "../agent/store/data_folder.ts";
import { StoreError } from "../agent/store/database.ts";
import { lockDataFolder } from "../agent/store/folder_lock.ts";

export const SERVE_HELP = () =>
  ownHelp({
    usage: "kvm-manager serve [OPTIONS]",
    about: [message`Serves this host's VMs in a browser.`],
    options: settingsHelp(environment().root, environment().env),
    more: [message`A flag wins over the environment, the environment over the file.`],
  });

/** Milliseconds a stop may take before the process ends all the same. */
const STOP_MS = 8000;

const OPTIONS = {
  ...Object.fromEntries(
    Object.values(SETTINGS).map((row) => [row.flag, { type: "string", multiple: "list" in row }] as const),
  ),
  config: { type: "string" },
  demo: { type: "boolean" },
} as const;

/** Reads its arguments. @throws {SettingsError | UsageError} */
export function readServe(args: readonly string[]): Settings {
  const { demo, ...given } = optionsAlone(args, OPTIONS);
  const flags = Object.entries(given).flatMap(([flag, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `--${flag}=${each}`)
  );
  return readSettings([...flags, ...demo === true ? ["--demo"] : []], environment());
}

/** Prints a line for the person who started it, in the shell's language. */
async function tell(line: Message): Promise<void> {
  using _language = await speakShellLanguage();
  console.log(render(line));
}

/** Runs until SIGTERM or SIGINT. */
export async function serve(args: readonly string[], pages: Pages): Promise<number> {
  // Other users must not read its files: databases, keys, temporary files
  Deno.umask(0o077);
  await using stack = new AsyncDisposableStack();
  let settings, demo: Demo | undefined;
  // What is wrong with the line is read in the shell; what the log has is English
  using language = new DisposableStack();
  language.use(await speakShellLanguage());
  try {
    settings = readServe(args);
    if (settings.demo) {
      // From source, the first request for a file bundles the islands, into a folder that may be root's alone.
      await (await pages(new Request("http://localhost/favicon.svg"))).body?.cancel();
      demo = stack.use(await enterDemo(settings));
      ({ settings } = demo);
    }
    await requireLocalDisk(settings.dataDir);
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof UsageError)) throw error;
    return wrongUsage(error);
  }
  try {
    stack.use(await lockDataFolder(settings.dataDir));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    console.error(`kvm-manager: ${translated(error.message)}`);
    return EXIT.failed;
  }
  setLogLevel(settings.logLevel);
  let doors;
  try {
    doors = await listenersOf(settings);
  } catch (error) {
    return wrongUsage(error);
  }
  language.dispose();
  const listeners: Listener[] = [], grpc: Listener[] = [];
  await demo?.seed();
  const app = new Application(settings, SYSTEM_CLOCK, demo?.simulationOf);
  app.start();
  findLanguages(Deno.env.get(LOCALES_VARIABLE));
  const answer = entry(app, pages);
  try {
    const { admit } = app;
    listeners.push(...await doors.open(answer, admit));
    const rule = socketRule(settings.socketGroup, settings.socketRole);
    listeners.push(await listenSocket(join(settings.runtimeDir, SOCKET_FILE), answer, admit, rule));
    grpc.push(...await openGrpc(app, doors, rule));
    listeners.push(...grpc);
  } catch (error) {
    console.error(`kvm-manager: ${messageOf(error)}`);
    await Promise.all(listeners.map((listener) => listener.close()));
    await app.stop();
    return 1;
  }
  log.info("KVM Manager is ready", {
    version: VERSION,
    address: doors.addresses.join(" "),
    socket: join(settings.runtimeDir, SOCKET_FILE),
    ...(grpc.length > 0 && { grpc: grpc.map(({ address }) => address).join(" ") }),
    uri: settings.uri,
  });
  app.doors = doors;
  setBasePath(doors.base);
  if (doors.certificates) {
    const { fingerprint, selfSigned } = doors.certificates.about;
    await tell(
      selfSigned
        ? message`TLS certificate (no authority has signed it: compare), SHA-256: ${fingerprint}`
        : message`TLS certificate, SHA-256: ${fingerprint}`,
    );
    Deno.addSignalListener("SIGHUP", () => void doors.certificates?.check(true));
  }
  if (app.access.needsSetup) {
    const { key } = app.access.setup.issue();
    // On standard output, last: what logs are sent to must not open anything.
    const address = `${doors.address}/setup?key=${key}`;
    await tell(message`Make the first administrator within 15 minutes: ${address}`);
  }
  await stopSignal();
  log.info("stopping");
  const limit = setTimeout(() => {
    log.warn("the stop took too long");
    Deno.exit(1);
  }, STOP_MS);
  await Promise.all(listeners.map((listener) => listener.close()));
  await app.stop();
  await stack.disposeAsync();
  clearTimeout(limit);
  // A worker that hangs in libvirt would keep the process: there is nothing left to wait for.
  Deno.exit(0);
}

function wrongUsage(error: unknown): number {
  printUsageError("serve", error);
  return EXIT.usage;
}

function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, resolve);
  return promise;
}
