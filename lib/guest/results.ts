/**
 * Schemas for the answers of the guest agent's methods. A guest may send anything: a value that does not fit is no
 * answer. Fields that a newer agent adds are let through; readers use those that are named here. Pure.
 */
import Type, { type Static } from "typebox";

const text = (maxLength = 4096) => Type.String({ maxLength });
const count = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const figure = () => Type.Number({ minimum: 0 });
const percent = () => Type.Number({ minimum: 0, maximum: 1_000_000 });
/** Bytes as base64. The letters are judged by who decodes them. */
const bytes = () => Type.String({ maxLength: 360_000 });
const list = <S extends Parameters<typeof Type.Array>[0]>(of: S, maxItems = 2000) =>
  Type.Array(of, { maxItems });

const PROCESS = Type.Object({
  pid: count(),
  parent_pid: count(),
  name: text(),
  command: text(),
  user: text(),
  state: text(),
  cpu_percent: percent(),
  cpu_ms: count(),
  memory: count(),
  threads: count(),
});

const ENTRY = Type.Object({
  name: text(),
  name_bytes: Type.Optional(text()),
  type: text(),
  size: count(),
  mode: count(),
  modified_ms: Type.Integer(),
  user: text(),
  group: text(),
  target: Type.Optional(text()),
});

const DONE = Type.Object({ done: Type.Literal(true) });
const FREEZE = Type.Object({ frozen: Type.Boolean(), mount_points: list(text()), thaws_in_ms: count() });
const KEYS = Type.Object({ keys: list(text(20_000)) });
const PART = { offset: count(), eof: Type.Boolean(), data: bytes() };

/** The result of each method. */
export const AGENT_RESULTS = {
  "ping": Type.Object({ pong: Type.Literal(true), time_ms: Type.Integer() }),
  "get_agent_info": Type.Object({
    name: text(),
    version: text(),
    protocol_version: Type.Integer(),
    protocol_min: Type.Integer(),
    protocol_max: Type.Integer(),
    os_type: text(),
    architecture: text(),
    read_only: Type.Boolean(),
    methods: list(text(64)),
    max_line: count(),
    max_chunk: count(),
    max_running: count(),
    pid: count(),
  }),
  "guest.get_info": Type.Object({
    os_type: text(),
    os_version: text(),
    hostname: text(),
    ip_addresses: list(text(64)),
    agent_version: text(),
  }),
  "get_system_info": Type.Object({
    os_type: text(),
    os_id: text(),
    os_version: text(),
    os_version_id: text(),
    kernel_version: text(),
    architecture: text(),
    hostname: text(),
    cpu_count: count(),
    memory_total: count(),
    memory_available: count(),
    uptime_seconds: count(),
    time_ms: Type.Integer(),
    timezone: text(),
    utc_offset_seconds: Type.Integer(),
    machine_id: text(),
  }),
  "get_network_info": Type.Object({
    interfaces: list(Type.Object({
      name: text(),
      mac_address: text(64),
      up: Type.Boolean(),
      loopback: Type.Boolean(),
      mtu: Type.Integer(),
      ip_addresses: list(Type.Object({ address: text(64), prefix: count(), family: text(16) })),
    })),
    gateways: list(text(64)),
    dns_servers: list(text(256)),
  }),
  "get_disk_usage": Type.Object({
    filesystems: list(Type.Object({
      device: text(),
      mount_point: text(),
      type: text(),
      total: count(),
      used: count(),
      available: count(),
      inodes: count(),
      inodes_free: count(),
      read_only: Type.Boolean(),
    })),
  }),
  "get_metrics": Type.Object({
    time_ms: Type.Integer(),
    cpu_percent: percent(),
    core_percent: list(percent()),
    load_average: list(figure(), 3),
    memory: Type.Object({
      total: count(),
      used: count(),
      free: count(),
      available: count(),
      buffers: count(),
      cached: count(),
      swap_total: count(),
      swap_used: count(),
    }),
    disks: list(Type.Object({
      name: text(),
      bytes_read: figure(),
      bytes_written: figure(),
      reads: figure(),
      writes: figure(),
    })),
    networks: list(Type.Object({
      name: text(),
      rx_bytes: figure(),
      tx_bytes: figure(),
      rx_packets: figure(),
      tx_packets: figure(),
      rx_errors: figure(),
      tx_errors: figure(),
      rx_dropped: figure(),
      tx_dropped: figure(),
    })),
    processes: list(PROCESS),
  }),
  "get_processes": Type.Object({ total: count(), processes: list(PROCESS) }),
  "get_users": Type.Object({
    users: list(Type.Object({ user: text(), terminal: text(), from: text(), login_ms: Type.Integer() })),
  }),
  "get_services": Type.Object({
    services: list(Type.Object({ name: text(), description: text(), state: text(), startup: text() })),
  }),
  "control_service": DONE,
  "get_packages": Type.Object({
    manager: text(),
    total: count(),
    upgrades: count(),
    packages: list(Type.Object({ name: text(), version: text(), architecture: text(), upgrade: text() })),
    has_more: Type.Boolean(),
  }),
  "get_security": Type.Object({
    selinux: text(),
    apparmor: text(),
    apparmor_profiles: count(),
    lockdown: text(),
    secure_boot: text(),
    reboot_required: Type.Boolean(),
  }),
  "exec_command": Type.Object({
    exit_code: Type.Integer(),
    signal: text(),
    stdout: bytes(),
    stderr: bytes(),
    stdout_truncated: Type.Boolean(),
    stderr_truncated: Type.Boolean(),
    timed_out: Type.Boolean(),
    duration_ms: count(),
    pid: count(),
  }),
  "file_read": Type.Object({ ...PART, size: count() }),
  "file_write": Type.Object({ path: text(), size: count() }),
  "file_list": Type.Object({
    path: text(),
    entries: list(ENTRY),
    total: count(),
    has_more: Type.Boolean(),
    too_large: Type.Boolean(),
  }),
  "file_stat": ENTRY,
  "file_make_directory": DONE,
  "file_remove": DONE,
  "file_rename": DONE,
  "file_open": Type.Object({
    handle: count(),
    path: text(),
    size: count(),
    mode: count(),
    modified_ms: Type.Integer(),
  }),
  "chunk_read": Type.Object(PART),
  "chunk_write": Type.Object({ offset: count() }),
  "file_close": Type.Object({
    path: text(),
    size: count(),
    sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  }),
  "shutdown": DONE,
  "reboot": DONE,
  "fs_freeze": FREEZE,
  "fs_thaw": FREEZE,
  "fs_freeze_status": FREEZE,
  "set_time": DONE,
  "set_password": DONE,
  "ssh_keys_list": KEYS,
  "ssh_keys_add": KEYS,
  "ssh_keys_remove": KEYS,
  "get_metadata": Type.Object({ metadata: Type.Record(Type.String(), text()) }),
  "set_metadata": DONE,
} as const;

/** The name of a method. */
export type AgentMethod = keyof typeof AGENT_RESULTS;

/** Result of a method. */
export type AgentResult<M extends AgentMethod> = AgentResults[M];
/** Method → its result: each is worked out once, not for each use of a name. */
type AgentResults = { readonly [M in AgentMethod]: Static<(typeof AGENT_RESULTS)[M]> };

/** Output of a command that is streamed. */
export const EXEC_OUTPUT = Type.Object({
  id: Type.Union([Type.Integer(), Type.String({ maxLength: 64 })]),
  stream: Type.Union([Type.Literal("stdout"), Type.Literal("stderr")]),
  data: bytes(),
});
