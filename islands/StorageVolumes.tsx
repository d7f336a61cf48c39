import type { ReadonlySignal } from "@preact/signals";
import { Flash } from "../components/kit/Flash.tsx";
import { Fact } from "../components/kit/Fact.tsx";
import { TruncatedText } from "../components/kit/TruncatedText.tsx";
import { HangBanner } from "../components/hangs/HangBanner.tsx";
import { HangState } from "../components/hangs/HangState.tsx";
import { Pagination } from "../components/kit/Pagination.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { SearchField } from "../components/kit/SearchField.tsx";
import { canStop, PoolSpaceBar, PoolState, typeName, UsedBy } from "../components/storage/PoolParts.tsx";
import { poolHref } from "../lib/storage/pool_href.ts";
import { PoolActions } from "../components/storage/PoolActions.tsx";
import { PoolAutostart } from "../components/storage/PoolTable.tsx";
import { VolumeTable } from "../components/storage/VolumeTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { useHangs } from "../lib/client/use_hangs.ts";
import { poolChanges, useQuery } from "../lib/client/use_query.ts";
import type { Hang, StoragePool, StorageVolume } from "../lib/contract/mod.ts";
import { failureOf } from "../lib/text/failure.ts";
import { hangOfPool } from "../lib/hangs/objects.ts";
import { oneLine } from "../lib/text/text.ts";
import { type ListPage, pageHref, type PageQuery } from "../lib/text/list_page.ts";
import { volumePage } from "../lib/storage/volume_page.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { uploads as uploadTexts } from "../lib/i18n/en/uploads.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t, plural } = textsOf(texts);
const uploads = textsOf(uploadTexts);

/** Props of {@link StorageVolumes}. */
export interface StorageVolumesProps {
  pool: StoragePool;
  page: ListPage<StorageVolume>;
  query: PageQuery;
  /** Objects that do not respond; null while unknown. */
  hangs: readonly Hang[] | null;
  connected: boolean;
  /** When the page was rendered. */
  now: number;
}

function Facts({ pool, enabled }: { pool: StoragePool; enabled: boolean }) {
  return (
    <Panel title={typeName(pool.type)}>
      <dl class="description-list storage-facts">
        <Fact label={t("storage.space")}>
          <PoolSpaceBar pool={pool} />
        </Fact>
        {pool.path !== undefined && (
          <Fact label={t("storage.path")}>
            <bdi class="mono">{oneLine(pool.path)}</bdi>
          </Fact>
        )}
        {pool.source !== undefined && (
          <Fact label={t("storage.source")}>
            <bdi class="mono">{oneLine(pool.source)}</bdi>
          </Fact>
        )}
        <Fact label={t("storage.autostart")}>
          <PoolAutostart pool={pool} enabled={enabled} />
        </Fact>
        <Fact label={t("storage.used_by")}>
          <UsedBy users={pool.usedBy} />
        </Fact>
      </dl>
    </Panel>
  );
}

/** Data of the pool; the last known ones if it is gone. */
interface Shown extends Pick<StorageVolumesProps, "pool" | "page"> {
  isGone: boolean;
}

/** A storage pool with its volumes, live. */
export default function StorageVolumes(
  { pool: first, page: firstPage, query, hangs, connected, now }: StorageVolumesProps,
) {
  const { value: shown }: { value: ReadonlySignal<Shown> } = useQuery<Shown>({
    first: { pool: first, page: firstPage, isGone: false },
    read: async (): Promise<Shown> => {
      try {
        const pool = await api.getStoragePool({ pool: first.name });
        const volumes = canStop(pool) ? await api.getVolumes({ pool: first.name }) : [];
        return { pool, page: volumePage(volumes, query), isGone: false };
      } catch (error) {
        if (failureOf(error).code !== "StoragePoolNotFound") throw error;
        return { ...shown.peek(), isGone: true };
      }
    },
    follow: poolChanges(first.name),
  });
  const { pool, page, isGone } = shown.value;
  const hang = hangOfPool(useHangs(hangs).value ?? [], pool);
  const enabled = !isGone && live.controls(connected);
  const { name, fixed } = pool;
  const here = poolHref(name);
  const on = canStop(pool), isUnread = hang !== undefined && page.rows.length === 0 && query.q === "";
  return (
    <>
      <header class="page-head vm-head">
        <h1>
          <TruncatedText text={name} />
        </h1>
        <span role="status" class="count">
          {hang === undefined ? <PoolState pool={pool} /> : <HangState hang={hang} now={now} short />}
        </span>
        <PoolActions pool={pool} enabled={enabled} />
      </header>
      {isGone && <Flash tone="bad" icon="trash" title={t("storage.gone")}>{t("storage.gone_what")}</Flash>}
      {!isGone && hang !== undefined && <HangBanner hang={hang} now={now} />}
      <div class="storage-stack">
        <Facts pool={pool} enabled={enabled} />
        <Panel
          title={isUnread ? t("storage.volumes") : plural("storage.volume_count", page.matching)}
          aside={on && !fixed && enabled && hang === undefined && (
            <span class="actions">
              <a class="button" href={`${here}?do=upload`}>{uploads.t("uploads.upload")}</a>
              <a class="button primary" href={`${here}?do=create_volume`}>{t("storage.new_volume")}</a>
            </span>
          )}
        >
          {on && !isUnread && (
            <form class="storage-search" method="get" action={here} role="search">
              <SearchField label={t("storage.search")} value={query.q} />
            </form>
          )}
          {page.rows.length > 0
            ? <VolumeTable pool={pool} volumes={page.rows} enabled={enabled} />
            : (
              <p class="text-muted pad">
                {t(
                  !on
                    ? "storage.volumes_off"
                    : isUnread
                    ? "storage.volumes_unread"
                    : query.q !== ""
                    ? "storage.volumes_no_match"
                    : "storage.volumes_none",
                )}
              </p>
            )}
        </Panel>
        <Pagination
          label={t("storage.pages")}
          page={page.page}
          pages={page.pages}
          hrefOf={(page) => pageHref(here, { ...query, page })}
        />
      </div>
    </>
  );
}
