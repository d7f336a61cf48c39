import { useSignal } from "@preact/signals";
import { Banner } from "../components/Banner.tsx";
import { Fact } from "../components/Fact.tsx";
import { Name } from "../components/Name.tsx";
import { Pages } from "../components/Pages.tsx";
import { Panel } from "../components/Panel.tsx";
import { SearchField } from "../components/SearchField.tsx";
import { poolHref, PoolSpace, PoolState, typeName, UsedBy } from "../components/storage/PoolParts.tsx";
import { isOn, PoolButton } from "../components/storage/PoolTable.tsx";
import { VolumeTable } from "../components/storage/VolumeTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { usePoolChanges } from "../lib/client/use_pools.ts";
import type { StoragePool, StorageVolume } from "../lib/contract/mod.ts";
import { failureOf } from "../lib/format/failure.ts";
import { oneLine } from "../lib/format/text.ts";
import { type ListPage, pageHref, type PageQuery } from "../lib/format/list_page.ts";
import { volumePage } from "../lib/format/volume_page.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t, plural } = textsOf(texts);

/** Props of {@link StorageVolumes}. */
export interface StorageVolumesProps {
  pool: StoragePool;
  page: ListPage<StorageVolume>;
  query: PageQuery;
  connected: boolean;
}

function Facts({ pool }: { pool: StoragePool }) {
  return (
    <Panel title={typeName(pool.type)}>
      <dl class="facts storage-facts">
        <Fact label={t("storage.space")}>
          <PoolSpace pool={pool} />
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
        <Fact label={t("storage.autostart")}>{t(pool.autostart ? "storage.yes" : "storage.no")}</Fact>
        <Fact label={t("storage.used_by")}>
          <UsedBy users={pool.usedBy} />
        </Fact>
      </dl>
    </Panel>
  );
}

/** A storage pool with its volumes, live. */
export default function StorageVolumes(
  { pool: first, page: firstPage, query, connected }: StorageVolumesProps,
) {
  const pool = useSignal(first);
  const page = useSignal(firstPage);
  const isGone = useSignal(false);
  usePoolChanges(first.name, async () => {
    try {
      pool.value = await api.getStoragePool({ pool: first.name });
      const volumes = isOn(pool.value) ? await api.getVolumes({ pool: first.name }) : [];
      page.value = volumePage(volumes, query);
      isGone.value = false;
    } catch (error) {
      if (failureOf(error).code !== "StoragePoolNotFound") throw error;
      isGone.value = true;
    }
  });
  const enabled = !isGone.value &&
    live.controls(connected);
  const { name, fixed, persistent, autostart } = pool.value;
  const here = poolHref(name);
  const on = isOn(pool.value);
  return (
    <>
      <header class="page-head">
        <h1>
          <Name text={name} />
        </h1>
        <span role="status">
          <PoolState pool={pool.value} />
        </span>
        <div class="actions">
          <PoolButton pool={name} deed={on ? "stop" : "start"} enabled={enabled} />
          {on && <PoolButton pool={name} deed="refresh" enabled={enabled} />}
          {persistent && (
            <PoolButton pool={name} deed={autostart ? "autostart_off" : "autostart_on"} enabled={enabled} />
          )}
          {enabled && <a class="button" href={`${here}?do=delete`}>{t("storage.delete")}</a>}
        </div>
      </header>
      {isGone.value && (
        <Banner tone="bad" icon="trash" title={t("storage.gone")} text={t("storage.gone_what")} />
      )}
      <div class="storage-stack">
        <Facts pool={pool.value} />
        <Panel
          title={plural("storage.volume_count", page.value.matching)}
          aside={on && !fixed && enabled && (
            <span class="actions">
              <a class="button" href={`${here}?do=upload`}>{t("storage.upload")}</a>
              <a class="button primary" href={`${here}?do=create_volume`}>{t("storage.new_volume")}</a>
            </span>
          )}
        >
          {on && (
            <form class="storage-search" method="get" action={here} role="search">
              <SearchField label={t("storage.search")} value={query.q} />
            </form>
          )}
          {page.value.rows.length > 0
            ? <VolumeTable pool={pool.value} volumes={page.value.rows} enabled={enabled} />
            : (
              <p class="calm">
                {t(
                  !on
                    ? "storage.volumes_off"
                    : query.q !== ""
                    ? "storage.volumes_no_match"
                    : "storage.volumes_none",
                )}
              </p>
            )}
        </Panel>
        <Pages
          label={t("storage.pages")}
          page={page.value.page}
          pages={page.value.pages}
          hrefOf={(page) => pageHref(here, { ...query, page })}
        />
      </div>
    </>
  );
}
