import type { Hang, StoragePool } from "../../lib/contract/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { Switch } from "../kit/Switch.tsx";
import { PoolActions } from "./PoolActions.tsx";
import { PoolSpaceBar, PoolState, typeName, UsedBy } from "./PoolParts.tsx";
import { poolHref } from "../../lib/storage/pool_href.ts";
import { hangOfPool } from "../../lib/hangs/objects.ts";
import { HangState } from "../hangs/HangState.tsx";
import { DataTable } from "../kit/DataTable.tsx";

const { t } = textsOf(texts);

/** Whether a pool starts with the host, as a switch: a plain form. */
export function PoolAutostart({ pool, enabled }: { pool: StoragePool; enabled: boolean }) {
  return (
    <form
      method="post"
      action={formHref(
        "set_storage_pool_autostart",
        { pool: pool.name, autostart: !pool.autostart },
        poolHref(pool.name),
      )}
    >
      <Switch
        checked={pool.autostart}
        label={t("storage.autostart")}
        word={t(pool.autostart ? "storage.yes" : "storage.no")}
        disabled={!enabled || !pool.persistent}
      />
    </form>
  );
}

/** The list of pools. */
export function PoolTable({ pools, enabled, hangs, now }: {
  pools: readonly StoragePool[];
  enabled: boolean;
  /** Objects that do not respond. */
  hangs: readonly Hang[];
  /** When the page was rendered. */
  now: number;
}) {
  return (
    <DataTable
      label={t("storage.pools")}
      rows={pools}
      keyOf={({ name }) => name}
      attributesOf={({ name }) => ({ "data-pool": name })}
      columns={[
        {
          title: t("storage.name"),
          cell: ({ name, type }) => (
            <>
              <a href={poolHref(name)}>
                <TruncatedText text={name} longest={60} />
              </a>
              <small>{typeName(type)}</small>
            </>
          ),
        },
        {
          title: t("storage.state"),
          ...(hangs.length > 0 && { fit: "wrap" as const }),
          cell: (pool) => {
            const hang = hangOfPool(hangs, pool);
            return hang === undefined ? <PoolState pool={pool} /> : <HangState hang={hang} now={now} />;
          },
        },
        { title: t("storage.space"), cell: (pool) => <PoolSpaceBar pool={pool} /> },
        {
          title: t("storage.volumes"),
          kind: "number",
          cell: ({ volumes }) => volumes === undefined ? null : number(volumes),
        },
        {
          title: t("storage.used_by"),
          cell: ({ usedBy }) => usedBy.length > 0 && <UsedBy users={usedBy} />,
        },
        {
          title: t("storage.actions"),
          kind: "actions",
          cell: (pool) => <PoolActions pool={pool} enabled={enabled} small />,
        },
      ]}
    />
  );
}
