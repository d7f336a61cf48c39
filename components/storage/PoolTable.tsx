import type { StoragePool } from "../../lib/contract/mod.ts";
import type { StorageDeed } from "../../lib/format/storage_forms.ts";
import { oneLine } from "../../lib/format/text.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Name } from "../Name.tsx";
import { Label, poolHref, PoolSpace, PoolState, typeName, UsedBy } from "./PoolParts.tsx";

const { t } = textsOf(texts);

/** What a pool's buttons do at once. */
export const POOL_VERBS: Readonly<
  Partial<Record<StorageDeed, PlainKeyOf<typeof texts>>>
> = {
  start: "storage.start",
  stop: "storage.stop",
  refresh: "storage.refresh",
  autostart_on: "storage.autostart_on",
  autostart_off: "storage.autostart_off",
};

/** A button that does something to a pool: a form of its own, with and without script. */
export function PoolButton({ pool, deed, enabled, look = "button" }: {
  pool: string;
  deed: StorageDeed;
  enabled: boolean;
  look?: string;
}) {
  const verb = t(POOL_VERBS[deed]!);
  return (
    <form method="post" action={poolHref(pool)}>
      <button
        type="submit"
        class={look}
        name="action"
        value={deed}
        disabled={!enabled}
        aria-label={t("storage.verb_of", { verb, name: oneLine(pool, 60) })}
      >
        {verb}
      </button>
    </form>
  );
}

/** Whether there is something to stop. */
export const isOn = ({ state }: StoragePool): boolean => state !== "inactive";

/** The list of pools. */
export function PoolTable({ pools, enabled }: { pools: readonly StoragePool[]; enabled: boolean }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("storage.pools")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("storage.name")}</th>
            <th scope="col">{t("storage.state")}</th>
            <th scope="col">{t("storage.space")}</th>
            <th scope="col" class="num">{t("storage.volumes")}</th>
            <th scope="col">{t("storage.used_by")}</th>
            <th scope="col">
              <span class="visually-hidden">{t("storage.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {pools.map((pool) => (
            <tr key={pool.name} data-pool={pool.name}>
              <th scope="row">
                <a href={poolHref(pool.name)}>
                  <Name text={pool.name} longest={60} />
                </a>
                <small>
                  {typeName(pool.type)}
                </small>
              </th>
              <td>
                <PoolState pool={pool} />
              </td>
              <td>
                <PoolSpace pool={pool} />
              </td>
              <td class={pool.volumes === undefined ? "num empty-cell" : "num"}>
                <Label text={t("storage.volumes")} />
                {pool.volumes === undefined ? "–" : number(pool.volumes)}
              </td>
              <td class={pool.usedBy.length === 0 ? "empty-cell" : undefined}>
                <Label text={t("storage.used_by")} />
                <UsedBy users={pool.usedBy} />
              </td>
              <td class="device-verbs">
                <PoolButton
                  pool={pool.name}
                  deed={isOn(pool) ? "refresh" : "start"}
                  enabled={enabled}
                  look="button ghost"
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
