import { page } from "fresh";
import { Head } from "fresh/runtime";
import { HostChoices } from "../../../components/host/HostChoices.tsx";
import { SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Empty } from "../../../components/kit/Empty.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import {
  ContractError,
  type HostStatus,
  type StoragePool,
  type StorageVolume,
} from "../../../lib/contract/mod.ts";
import { volumeCopyPage as texts } from "../../../lib/i18n/en/volume_copy.ts";
import { t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { copyVolumeHref, poolHref } from "../../../lib/storage/pool_href.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { nameIn } from "../../../lib/text/path_segment.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { begin } from "../../(_shared)/long_work.ts";
import { typedFields } from "../../../lib/text/typed_fields.ts";

const { t } = textsOf(texts);

/** Milliseconds the form waits for the end of the copy: a refusal comes by then. */
const SOON_MS = 2500;

interface Shown {
  readonly pool: string;
  readonly volume: StorageVolume;
  /** Hosts that it can be copied to. */
  readonly hosts: readonly HostStatus[];
  readonly chosen: { readonly host: HostStatus; readonly pools: readonly StoragePool[] } | null;
  readonly typed: Readonly<Record<string, string>>;
  readonly failure: Failure | null;
}

/** The pools of a host that take a volume. */
async function poolsOf({ api }: PageState, { id }: HostStatus) {
  const pools = await api.getStoragePools({ host: id });
  return pools.filter(({ state, fixed }) => state === "running" && !fixed);
}

async function shown(
  state: PageState,
  pool: string,
  name: string,
  toHost: string | null,
  { typed = {}, failure = null }: Partial<Pick<Shown, "typed" | "failure">> = {},
): Promise<Shown> {
  const [volumes, all] = await Promise.all([
    state.api.getVolumes({ pool }).catch(fail),
    state.api.listHosts().catch(fail),
  ]);
  const volume = volumes.find((each) => each.name === name);
  if (volume === undefined) fail(new ContractError("VolumeNotFound", { pool, name }));
  const hosts = all.filter(({ id, status }) => id !== state.host && status !== "disabled");
  const host = hosts.find(({ id }) => id === toHost);
  const about = { pool, volume, hosts, typed };
  if (host === undefined || volume.backing !== undefined) return { ...about, chosen: null, failure };
  try {
    return { ...about, chosen: { host, pools: await poolsOf(state, host) }, failure };
  } catch (error) {
    return { ...about, chosen: null, failure: failure ?? failureOf(error) };
  }
}

export const handler = define.handlers({
  async GET({ state, url, params }) {
    const { searchParams } = url;
    return page(
      await shown(
        state,
        nameIn(params.pool ?? ""),
        searchParams.get("volume") ?? "",
        searchParams.get("toHost"),
      ),
    );
  },
  async POST(ctx) {
    const { state, url, params } = ctx, form = await postedForm(ctx.req);
    const pool = nameIn(params.pool ?? ""), volume = url.searchParams.get("volume") ?? "";
    const text = (name: string) => String(form.get(name) ?? "");
    const toHost = text("toHost"), toPool = text("toPool"), name = text("name");
    try {
      const begun = await begin(
        state.api,
        "copy_volume_to_host",
        SOON_MS,
        () =>
          state.api.copyVolumeToHost({
            pool,
            volume,
            toHost,
            ...(toPool && { toPool }),
            ...(name && { name }),
          }),
      );
      if (!begun.isOver) return ctx.redirect(begun.href, 303);
      const { warnings } = begun.result;
      state.notify({
        is: "done",
        word: "copy_volume_to_host",
        name: begun.result.name,
        warnings: warnings.map(({ message }) => message),
      });
      return ctx.redirect(poolHref(pool), 303);
    } catch (error) {
      const failure = failureOf(error);
      const again = await shown(state, pool, volume, toHost, { typed: typedFields(form), failure });
      return page(again, { status: failure.status });
    }
  },
});

/** Reason why the form cannot be used. */
function Obstacle({ pool, volume, hosts }: Pick<Shown, "pool" | "volume" | "hosts">) {
  if (volume.backing !== undefined) {
    return (
      <Flash tone="warn">
        <p>{t("volume_copy.based", { path: oneLine(volume.backing.path) })}</p>
        <a class="button" href={`${poolHref(pool)}?do=clone&volume=${encodeURIComponent(volume.name)}`}>
          {t("volume_copy.clone")}
        </a>
      </Flash>
    );
  }
  if (hosts.length > 0) return null;
  return (
    <Empty icon="network" title={t("volume_copy.none")}>
      <p>{t("volume_copy.none_what")}</p>
      <a class="button" href="/settings/hosts">{t("volume_copy.hosts")}</a>
    </Empty>
  );
}

/** Fields for the pool and the name on the chosen host. */
function Place(
  { pool, volume, chosen: { host, pools }, typed }: Shown & { chosen: NonNullable<Shown["chosen"]> },
) {
  const same = pools.find(({ name }) => name === pool) ?? pools[0];
  if (same === undefined) {
    return <Flash tone="warn">{t("volume_copy.no_pool", { host: oneLine(host.label, 60) })}</Flash>;
  }
  return (
    <div class="device-grid">
      <SelectField
        name="toPool"
        label={t("volume_copy.pool")}
        value={typed.toPool ?? same.name}
        choices={pools.map(({ name, availableBytes = 0 }) => ({
          value: name,
          label: t("volume_copy.pool_choice", { pool: oneLine(name, 40), free: formatBytes(availableBytes) }),
        }))}
      />
      <TextField
        name="name"
        label={t("volume_copy.name")}
        required
        maxLength={128}
        defaultValue={typed.name ?? volume.name}
      />
    </div>
  );
}

/** Copying a volume to another host: first where to, then how. */
export default define.page<typeof handler>(function CopyVolume({ data }) {
  const { pool, volume, hosts, chosen, failure } = data, here = poolHref(pool);
  const title = t("volume_copy.title", { name: oneLine(volume.name, 60) });
  const canChoose = hosts.length > 0 && volume.backing === undefined;
  const isReady = chosen !== null && chosen.pools.length > 0;
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method={chosen === null ? "get" : "post"}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{t("volume_copy.what")}</p>
          <Flash tone="bad" failure={failure} />
          <Obstacle pool={pool} volume={volume} hosts={hosts} />
          {canChoose && chosen === null && (
            <>
              <input type="hidden" name="volume" value={volume.name} />
              <HostChoices legend={t("volume_copy.to")} hosts={hosts} />
            </>
          )}
          {chosen !== null && (
            <>
              <h2>{t("volume_copy.to_host", { host: oneLine(chosen.host.label, 60) })}</h2>
              <input type="hidden" name="toHost" value={chosen.host.id} />
              <Place {...data} chosen={chosen} />
            </>
          )}
        </div>
        <footer class="dialog-foot">
          {chosen !== null && (
            <a class="button" href={copyVolumeHref(pool, volume.name)}>
              {t("volume_copy.other_host")}
            </a>
          )}
          <span class="text-muted grow" />
          <a class="button" href={here}>{t("volume_copy.cancel")}</a>
          {canChoose && (
            <button type="submit" class="button primary" disabled={chosen !== null && !isReady}>
              {t(chosen === null ? "volume_copy.next" : "volume_copy.do")}
            </button>
          )}
        </footer>
      </form>
    </>
  );
});
