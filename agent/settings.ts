/** Settings: where each comes from (flag, environment, config file, default), in one table. */
import { clauseOf, messageOf } from "../lib/text/message.ts";
import { hostRolesIn } from "../lib/access/host_roles.ts";
import { parseArgs } from "node:util";
import { parse as parseToml } from "smol-toml";
import { translated } from "../lib/i18n/locale.ts";
import { message, render, type Sentence } from "../lib/i18n/message.ts";
import { BIN_DAYS } from "../lib/contract/bin.ts";
import { type Role, ROLES } from "../lib/contract/command.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import {
  CONFIG_ENV,
  DEFAULT_CONFIG,
  defaultRuntimeDir,
  HOST_RUNTIME_DIR,
  RUNTIME_DIR_ENV,
  RUNTIME_DIR_FLAG,
  userDir,
  type Where,
} from "./runtime_dir.ts";
import { SettingsError } from "./settings_error.ts";

export const VIRT_TYPES = ["auto", "kvm", "qemu"] as const;
export type VirtType = typeof VIRT_TYPES[number];

/** Policy for a new VM that is larger than the host. */
export const OVERCOMMIT = ["refuse", "allow"] as const;
export type Overcommit = typeof OVERCOMMIT[number];

export const HSTS = ["auto", "on", "off"] as const;
export type Hsts = typeof HSTS[number];

export const METRICS_ENDPOINT = ["off", "token"] as const;
export type MetricsEndpoint = typeof METRICS_ENDPOINT[number];

export interface Settings {
  /** Addresses of the web server: `host:port`, loopback plain, others TLS; or with `http://`, `https://` in front. */
  readonly listen: readonly string[];
  /** libvirt's URI. */
  readonly uri: string;
  /** Folder of the database. Empty in a demo that was given none: it makes a folder of its own. */
  readonly dataDir: string;
  /** Folder of the API socket. Empty in a demo that was given none. */
  readonly runtimeDir: string;
  /** Group whose members may use the API socket: `auto` takes kvm-manager where there is one, `none` has none. */
  readonly socketGroup: string;
  /** Role at the socket. */
  readonly socketRole: Role;
  /** Virtualization of new VMs: `auto` takes KVM where it works. */
  readonly virtType: VirtType;
  /** Whether a VM may have more memory or disk than the host: `allow` warns. */
  readonly overcommit: Overcommit;
  readonly logLevel: LogLevel;
  /** File with the catalogue of cloud images; `builtin` for the program's own. */
  readonly imageCatalog: string;
  /** PEM files of the TLS certificate (with its chain) and its key; `auto` for one of our own making. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** When browsers are told to come by TLS alone: `auto` does it with a certificate that somebody else issued. */
  readonly hsts: Hsts;
  /** Further host names the server answers for. */
  readonly hostName: readonly string[];
  /** Addresses or subnets of reverse proxies, whose X-Forwarded headers are believed. */
  readonly trustedProxy: readonly string[];
  /** Path below which everything is, where a proxy serves other things too; `/` for none. */
  readonly basePath: string;
  /** `group=role,…`; `off` where accounts of the host do not sign in. */
  readonly pam: string;
  /** journald's socket; `off` for none. */
  readonly journal: string;
  /** Seconds from one stored reading of the metrics to the next. */
  readonly metricsInterval: number;
  /** Seconds from one look into a guest to the next, by its agent; 0: none for the metrics. */
  readonly guestInterval: number;
  /** Whether `/metrics` answers, to who has an API token for it. */
  readonly metricsEndpoint: MetricsEndpoint;
  /** Addresses where gRPC is served, as `listen`; `socket` for its UNIX socket alone. Empty: it is off. */
  readonly grpcListen: readonly string[];
  /** Days that the bin keeps what was deleted, unless it is set otherwise there. */
  readonly binDays: number;
  /** Directory with the programs that hooks of profiles may run; `off` for none. */
  readonly hookPrograms: string;
  /** Shows made-up VMs on libvirt's test driver (`agent/demo/`). */
  readonly demo: boolean;
}

export { DEFAULT_CONFIG, HOST_RUNTIME_DIR, SettingsError };

interface SettingRow {
  readonly flag: string;
  readonly env: string;
  /** Placeholder in the help. */
  readonly value: string;
  readonly help: Sentence;
  readonly default: (where: Where) => string;
  readonly choices?: readonly string[];
  /** May be given more than once; in one text commas part them. */
  readonly list?: true;
}

/** Seconds that may lie between readings of the metrics. */
export const GUEST_INTERVAL = { least: 60, most: 3600 } as const;
export const METRICS_INTERVAL = { least: 5, most: 300 } as const;

/** The one list of settings; the config file uses the flags' names. */
export const SETTINGS = {
  listen: {
    flag: "listen",
    env: "KVMM_LISTEN",
    value: "HOST:PORT",
    help:
      message`address of the web server: HTTPS, on loopback plain HTTP unless https:// is in front; more than one is fine`,
    default: () => "127.0.0.1:8440",
    list: true,
  },
  uri: {
    flag: "uri",
    env: "KVMM_URI",
    value: "URI",
    help: message`libvirt to manage`,
    default: () => "qemu:///system",
  },
  dataDir: {
    flag: "data-dir",
    env: "KVMM_DATA_DIR",
    value: "DIR",
    help: message`folder of the database, on a disk of this host`,
    default: (where) =>
      where.root ? "/var/lib/kvm-manager" : userDir(where, "XDG_STATE_HOME", ".local/state"),
  },
  runtimeDir: {
    flag: RUNTIME_DIR_FLAG,
    env: RUNTIME_DIR_ENV,
    value: "DIR",
    help: message`folder of the API socket, api.sock`,
    default: defaultRuntimeDir,
  },
  socketGroup: {
    flag: "socket-group",
    env: "KVMM_SOCKET_GROUP",
    value: "NAME|auto|none",
    help:
      message`group whose members may use the API socket, in addition to root; auto: kvm-manager, where there is one`,
    default: () => "auto",
  },
  socketRole: {
    flag: "socket-role",
    env: "KVMM_SOCKET_ROLE",
    value: ROLES.join("|"),
    help: message`what members of that group may do; an administrator is as good as root`,
    default: () => "operator",
    choices: ROLES,
  },
  virtType: {
    flag: "virt-type",
    env: "KVMM_VIRT_TYPE",
    value: VIRT_TYPES.join("|"),
    help: message`virtualization of new VMs; auto takes KVM where it works`,
    default: () => "auto",
    choices: VIRT_TYPES,
  },
  overcommit: {
    flag: "overcommit",
    env: "KVMM_OVERCOMMIT",
    value: OVERCOMMIT.join("|"),
    help:
      message`more than 90 % of the host's memory for a VM, or than a pool's free space for its disks; allow warns`,
    default: () => "refuse",
    choices: OVERCOMMIT,
  },
  logLevel: {
    flag: "log-level",
    env: "KVMM_LOG_LEVEL",
    value: LOG_LEVELS.join("|"),
    help: message`least level of what is logged, on stderr`,
    default: () => "info",
    choices: LOG_LEVELS,
  },
  journal: {
    flag: "journal",
    env: "KVMM_JOURNAL",
    value: "SOCKET|off",
    help: message`journald's socket: every entry of the audit log goes there, too, where it answers`,
    default: () => "/run/systemd/journal/socket",
  },
  pam: {
    flag: "pam",
    env: "KVMM_PAM",
    value: "GROUP=ROLE,…|off",
    help:
      message`accounts of this host sign in through PAM (service kvm-manager): members of these groups, with these roles`,
    default: () => "off",
  },
  imageCatalog: {
    flag: "image-catalog",
    env: "KVMM_IMAGE_CATALOG",
    value: "FILE",
    help: message`JSON file of cloud images, of a mirror of one's own; builtin is the program's list`,
    default: () => "builtin",
  },
  metricsInterval: {
    flag: "metrics-interval",
    env: "KVMM_METRICS_INTERVAL",
    value: "SECONDS",
    help:
      message`seconds from one stored reading of the metrics to the next, ${METRICS_INTERVAL.least} to ${METRICS_INTERVAL.most}`,
    default: () => "30",
  },
  guestInterval: {
    flag: "guest-interval",
    env: "KVMM_GUEST_INTERVAL",
    value: "SECONDS",
    help:
      message`seconds from one look into a guest to the next, through its agent: file systems, memory, services, updates; ${GUEST_INTERVAL.least} to ${GUEST_INTERVAL.most}, or 0 for none`,
    default: () => "300",
  },
  metricsEndpoint: {
    flag: "metrics-endpoint",
    env: "KVMM_METRICS_ENDPOINT",
    value: METRICS_ENDPOINT.join("|"),
    help: message`/metrics for Prometheus: token answers to API tokens with the permission metrics.scrape`,
    default: () => "off",
    choices: METRICS_ENDPOINT,
  },
  grpcListen: {
    flag: "grpc-listen",
    env: "KVMM_GRPC_LISTEN",
    value: "HOST:PORT|socket|off",
    help:
      message`address of gRPC: TLS, on loopback plain unless https:// is in front; more than one is fine. With any of them also on grpc.sock in the runtime folder; socket is that alone`,
    default: () => "off",
    list: true,
  },
  binDays: {
    flag: "bin-days",
    env: "KVMM_BIN_DAYS",
    value: "DAYS",
    help:
      message`days that the bin keeps what was deleted, ${BIN_DAYS.least} to ${BIN_DAYS.most}, until its own setting is changed; 0: no bin`,
    default: () => String(BIN_DAYS.usual),
  },
  hookPrograms: {
    flag: "hook-programs",
    env: "KVMM_HOOK_PROGRAMS",
    value: "DIR|off",
    help: message`directory, written by root alone, with the programs that hooks of profiles may run`,
    default: () => "off",
  },
  tlsCert: {
    flag: "tls-cert",
    env: "KVMM_TLS_CERT",
    value: "FILE",
    help: message`PEM file of the TLS certificate and its chain, taken again when it changes; auto makes one`,
    default: () => "auto",
  },
  tlsKey: {
    flag: "tls-key",
    env: "KVMM_TLS_KEY",
    value: "FILE",
    help: message`PEM file of its key`,
    default: () => "auto",
  },
  hsts: {
    flag: "hsts",
    env: "KVMM_HSTS",
    value: HSTS.join("|"),
    help:
      message`tells browsers to come by HTTPS alone; auto does so with a certificate that somebody issued`,
    default: () => "auto",
    choices: HSTS,
  },
  hostName: {
    flag: "host-name",
    env: "KVMM_HOST_NAME",
    value: "NAME",
    help: message`further host names that people use, in addition to this host's own names and addresses`,
    default: () => "",
    list: true,
  },
  trustedProxy: {
    flag: "trusted-proxy",
    env: "KVMM_TRUSTED_PROXY",
    value: "ADDRESS[/BITS]",
    help: message`reverse proxies whose X-Forwarded-For, -Proto and -Host are believed`,
    default: () => "",
    list: true,
  },
  basePath: {
    flag: "base-path",
    env: "KVMM_BASE_PATH",
    value: "PATH",
    help: message`path below which a reverse proxy serves everything, e.g. /kvm`,
    default: () => "/",
  },
} as const satisfies Record<string, SettingRow>;

type SettingName = keyof typeof SETTINGS;
/** Defaults of a demo: nothing that a real server has. */
const DEMO_DEFAULTS: Partial<Record<SettingName, string>> = {
  dataDir: "",
  runtimeDir: "",
  socketGroup: "none",
};
const ROWS = Object.entries(SETTINGS) as [SettingName, SettingRow][];

/** An option as it is written, and what it does. */
type HelpRow = readonly [option: string, text: Sentence];

/** Rows of the help that are no settings. */
const OTHER_HELP: readonly HelpRow[] = [
  [
    "--demo",
    message`show made-up VMs on three hosts: nothing real is touched. Started by root, it runs as nobody; its folders are temporary ones of its own, unless they are named`,
  ],
  [
    "--config FILE",
    message`TOML file with these settings by their flag names, e.g. listen = "127.0.0.1:8440" (${CONFIG_ENV}; default ${DEFAULT_CONFIG}, when it is there)`,
  ],
];

/** Every option of `serve` with what it does, for its help, in the language of what is done now. */
export function settingsHelp(root: boolean, env: Where["env"]): HelpRow[] {
  const rows = ROWS.map(([, row]) => {
    const fallback = row.default({ root, env });
    const help = render(row.help);
    return [
      `--${row.flag} ${row.value}`,
      fallback === ""
        ? message`${help} (${row.env}; no default)`
        : message`${help} (${row.env}; default ${fallback})`,
    ] as const;
  });
  return [...rows, ...OTHER_HELP];
}

/** @throws {SettingsError} */
function readConfig(path: string, needed: boolean): Record<string, unknown> {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!needed && (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied)) {
      return {};
    }
    throw new SettingsError(render(message`the config file ${path} cannot be read: ${messageOf(error)}`));
  }
  let config: Record<string, unknown>;
  try {
    config = parseToml(text);
  } catch (error) {
    throw new SettingsError(render(message`the config file ${path} is not valid TOML: ${messageOf(error)}`));
  }
  const known = new Set(ROWS.map(([, row]) => row.flag));
  for (const [name, value] of Object.entries(config)) {
    if (!known.has(name)) {
      throw new SettingsError(
        render(
          message`${path} has an unknown setting ${JSON.stringify(name)}. Known are: ${
            [...known].join(", ")
          }`,
        ),
      );
    }
    const row = ROWS.find(([, each]) => each.flag === name)![1];
    const isList = row.list && Array.isArray(value) && value.every((each) => typeof each === "string");
    if (typeof value !== "string" && !isList) {
      throw new SettingsError(
        render(
          row.list
            ? message`${path}: ${name} must be a text in quotes, or a list of them`
            : message`${path}: ${name} must be a text in quotes`,
        ),
      );
    }
  }
  return config;
}

/** The addresses of gRPC, without what stands for none. @throws {SettingsError} */
function grpcListenIn(text: string): string[] {
  const given = listed(text);
  if (given.length > 1 && given.includes("off")) {
    throw new SettingsError("--grpc-listen has addresses, and off: give either");
  }
  return given.filter((each) => each !== "off");
}

const listed = (text: string) => text.split(",").map((each) => each.trim()).filter((each) => each !== "");

/**
 * Settings from a command line.
 *
 * @param args the arguments after the verb
 * @throws {SettingsError} naming the flag, variable or file that is wrong
 */
export function readSettings(args: readonly string[], where: Where): Settings {
  let flags: Record<string, string | string[] | boolean | undefined>;
  try {
    const options = Object.fromEntries(
      ROWS.map(([, row]) => [row.flag, { type: "string" as const, multiple: row.list ?? false }]),
    );
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, config: { type: "string" }, demo: { type: "boolean" } },
      strict: true,
      allowPositionals: false,
    });
    flags = parsed.values as typeof flags;
  } catch (error) {
    throw new SettingsError(`${clauseOf(error)}. See kvm-manager serve --help`);
  }
  const named = (flags.config as string | undefined) ?? (where.env(CONFIG_ENV) || undefined);
  const config = readConfig(named ?? DEFAULT_CONFIG, named !== undefined);
  const demo = flags.demo === true;
  const value = ([name, row]: [SettingName, SettingRow]): string => {
    const sources: [unknown, string][] = [
      [flags[row.flag], `--${row.flag}`],
      [where.env(row.env) || undefined, row.env],
      [config[row.flag], render(message`${row.flag} in the config file`)],
    ];
    const [given, source] = sources.find(([text]) => text !== undefined) ?? [undefined, ""];
    const fallback = () => (demo ? DEMO_DEFAULTS[name] : undefined) ?? row.default(where);
    const found = given === undefined ? fallback() : String(given); // of a list: with commas
    if (given !== undefined && found === "") throw new SettingsError(render(message`${source} is empty`));
    if (row.choices && !row.choices.includes(found)) {
      throw new SettingsError(
        render(message`${source} is ${JSON.stringify(found)}; it must be one of ${row.choices.join(", ")}`),
      );
    }
    return found;
  };
  const settings = Object.fromEntries(ROWS.map((row) => [row[0], value(row)])) as Record<SettingName, string>;
  try {
    hostRolesIn(settings.pam);
  } catch (error) {
    throw new SettingsError(`--pam: ${translated(messageOf(error))}`);
  }
  if (settings.hookPrograms !== "off" && !settings.hookPrograms.startsWith("/")) {
    throw new SettingsError("--hook-programs must be an absolute path, or off");
  }
  const metricsInterval = Number(settings.metricsInterval), { least, most } = METRICS_INTERVAL;
  if (!Number.isInteger(metricsInterval) || metricsInterval < least || metricsInterval > most) {
    throw new SettingsError(
      render(message`--metrics-interval must be a whole number of seconds from ${least} to ${most}`),
    );
  }
  const guestInterval = Number(settings.guestInterval);
  const isGuestInterval = Number.isInteger(guestInterval) &&
    guestInterval >= GUEST_INTERVAL.least && guestInterval <= GUEST_INTERVAL.most;
  if (!isGuestInterval && settings.guestInterval !== "0") {
    const { least, most } = GUEST_INTERVAL;
    throw new SettingsError(
      render(message`--guest-interval must be 0, or a whole number of seconds from ${least} to ${most}`),
    );
  }
  const binDays = Number(settings.binDays);
  if (!Number.isInteger(binDays) || binDays < BIN_DAYS.least || binDays > BIN_DAYS.most) {
    throw new SettingsError(
      render(message`--bin-days must be a whole number of days from ${BIN_DAYS.least} to ${BIN_DAYS.most}`),
    );
  }
  return {
    ...settings,
    uri: demo ? "test:///default" : settings.uri,
    socketRole: settings.socketRole as Role,
    virtType: settings.virtType as VirtType,
    overcommit: settings.overcommit as Overcommit,
    logLevel: settings.logLevel as LogLevel,
    listen: listed(settings.listen),
    hsts: settings.hsts as Hsts,
    metricsEndpoint: settings.metricsEndpoint as MetricsEndpoint,
    hostName: listed(settings.hostName),
    trustedProxy: listed(settings.trustedProxy),
    grpcListen: grpcListenIn(settings.grpcListen),
    metricsInterval,
    guestInterval,
    binDays,
    demo,
  };
}
