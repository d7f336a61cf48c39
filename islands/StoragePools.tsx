import { Empty } from "../components/kit/Empty.tsx";
import { ReadySteps } from "../components/host/ReadySteps.tsx";
import { HangBanner } from "../components/hangs/HangBanner.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { PoolTable } from "../components/storage/PoolTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { useHangs } from "../lib/client/use_hangs.ts";
import { poolChanges, useQuery } from "../lib/client/use_query.ts";
import type { Hang, StoragePool } from "../lib/contract/mod.ts";
import type { ShownLack } from "../lib/host/ready.ts";
import { hangOfPool } from "../lib/hangs/objects.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** The list of storage pools, live. */
export default function StoragePools({ pools, hangs, lack, connected, now }: {
  pools: StoragePool[];
  /** Objects that do not respond; null while unknown. */
  hangs: readonly Hang[] | null;
  /** Missing part of the host, with the steps that the user may take: shown if there is no pool. */
  lack: ShownLack | null;
  connected: boolean;
  /** When the page was rendered. */
  now: number;
}) {
  const silent = useHangs(hangs).value ?? [];
  const { value: shown } = useQuery<StoragePool[]>({
    first: pools,
    read: () => api.getStoragePools(),
    follow: poolChanges(),
  });
  const inRows = shown.value.map((pool) => hangOfPool(silent, pool));
  const besides = silent.filter((hang) => hang.about === "storage" && !inRows.includes(hang));
  const enabled = live.controls(connected);
  if (shown.value.length === 0) {
    return (
      <Empty icon="disk" title={t("storage.none")}>
        <p>{t("storage.none_what")}</p>
        {lack !== null && enabled && (
          <div class="actions">
            <ReadySteps lack={lack} />
          </div>
        )}
      </Empty>
    );
  }
  return (
    <>
      {besides.map((hang) => <HangBanner key={hang.name} hang={hang} now={now} />)}
      <Panel title={t("storage.pools")}>
        <PoolTable pools={shown.value} enabled={enabled} hangs={silent} now={now} />
      </Panel>
    </>
  );
}
