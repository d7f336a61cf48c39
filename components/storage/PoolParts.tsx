import type { StoragePool, StorageUser } from "../../lib/contract/mod.ts";
import { formatBytes, share } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { LoadBar } from "../kit/LoadBar.tsx";

const { t } = textsOf(texts);

type StorageKey = PlainKeyOf<typeof texts>;

/** State → how it looks. */
const STATES: Readonly<Record<StoragePool["state"], { icon: IconName; tone: string; word: StorageKey }>> = {
  inactive: { icon: "stopped", tone: "off", word: "storage.state_inactive" },
  building: { icon: "loader", tone: "busy", word: "storage.state_building" },
  running: { icon: "running", tone: "ok", word: "storage.state_running" },
  degraded: { icon: "alert", tone: "warn", word: "storage.state_degraded" },
  inaccessible: { icon: "circleAlert", tone: "bad", word: "storage.state_inaccessible" },
};

/** Types with a name of their own; libvirt's word stands for the others. */
export const TYPE_NAMES: Readonly<Record<string, StorageKey>> = {
  dir: "storage.type_dir",
  fs: "storage.type_fs",
  netfs: "storage.type_netfs",
  logical: "storage.type_logical",
  disk: "storage.type_disk",
  iscsi: "storage.type_iscsi",
  zfs: "storage.type_zfs",
  rbd: "storage.type_rbd",
  gluster: "storage.type_gluster",
};

/** A type of pool in words. */
export function typeName(type: string): string {
  const key = Object.hasOwn(TYPE_NAMES, type) ? TYPE_NAMES[type] : undefined;
  return key === undefined ? oneLine(type, 30) : t(key);
}

/** A pool's state as icon, word and colour. */
export function PoolState({ pool }: { pool: StoragePool }) {
  const { icon, tone, word } = STATES[pool.state];
  return (
    <span class="state" data-tone={tone}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}

/** How full a pool is. */
export function PoolSpaceBar({ pool }: { pool: StoragePool }) {
  const { capacityBytes: all, availableBytes: free } = pool;
  if (all === undefined || free === undefined) return <span class="text-muted">{t("storage.unknown")}</span>;
  return (
    <span class="storage-space">
      <LoadBar percent={share(all - free, all)} kind="memory" />
      <small>{t("storage.free_of", { free: formatBytes(free), all: formatBytes(all) })}</small>
    </span>
  );
}

/** Users named before the rest is counted. */
const NAMED = 3;

/** The VMs that use something, as links. */
export function UsedBy({ users }: { users: readonly StorageUser[] }) {
  if (users.length === 0) return <span class="text-muted">{t("storage.no_users")}</span>;
  return (
    <span class="storage-users">
      {users.slice(0, NAMED).map(({ vmId, name }) =>
        // Without an id it is one that may not be seen, or a boot test's, which has no page.
        vmId === ""
          ? <TruncatedText key={name} text={name} class="text-muted" />
          : (
            <a key={vmId} href={`/vms/${encodeURIComponent(vmId)}`}>
              <TruncatedText text={name} />
            </a>
          )
      )}
      {users.length > NAMED && (
        <span class="text-muted">{t("storage.more", { n: number(users.length - NAMED) })}</span>
      )}
    </span>
  );
}

/** Whether there is something to stop. */
export const canStop = ({ state }: StoragePool): boolean => state !== "inactive";
