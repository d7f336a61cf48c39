import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Flash } from "../../components/kit/Flash.tsx";
import { ArchiveTable, type ArchiveVolume } from "../../components/vm/ova/ArchiveTable.tsx";
import { ImportOvaForm, type ImportOvaFormProps } from "../../components/vm/ova/ImportOvaForm.tsx";
import { WithoutDisks } from "../../components/vm/ova/WithoutDisks.tsx";
import OvaUpload from "../../islands/OvaUpload.tsx";
import { ova as texts } from "../../lib/i18n/en/ova.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { answerWarnings } from "../../lib/text/notice.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { importOvaInput } from "../../lib/vm/ova_form.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail } from "../(_shared)/fail.ts";
import { begin, finishesWithin } from "../(_shared)/long_work.ts";
import { typedFields } from "../../lib/text/typed_fields.ts";

const own = textsOf(texts);
type Api = PageState["api"];

/** Milliseconds the form waits for the import: a refusal comes by then, and so does the end of what is small. */
const SOON_MS = 2500;
/** Milliseconds the page waits for the volumes of one pool. */
const POOL_WAIT_MS = 1500;

/** The active pools that keep files. */
async function poolsOf(api: Api) {
  const pools = await api.getStoragePools().catch(fail);
  return pools.filter(({ state, keepsFiles, fixed }) => state === "running" && keepsFiles && !fixed).map(
    ({ name, availableBytes }) => ({
      value: name,
      label: availableBytes === undefined
        ? name
        : own.t("ova.free", { name: oneLine(name, 60), free: formatBytes(availableBytes) }),
    }),
  );
}

/** The archives that lie in pools; a pool that does not answer in time is passed over. */
async function archivesOf(api: Api, pools: readonly { readonly value: string }[]): Promise<ArchiveVolume[]> {
  const found = await Promise.all(pools.map(async ({ value: pool }) => {
    const asked = api.getVolumes({ pool });
    try {
      if (!await finishesWithin(asked, POOL_WAIT_MS)) return [];
    } catch (error) {
      if (failureOf(error).code === "StoragePoolNotActive") return [];
      throw error;
    }
    return (await asked).filter(({ name }) => /\.ova$/i.test(name))
      .map(({ name, capacityBytes }) => ({ pool, volume: name, bytes: capacityBytes }));
  }));
  return found.flat();
}

/** Whether an archive may come without its disks, as the form for it says. */
const diskChoice = (params: URLSearchParams) =>
  params.get("withoutDisks") === "yes" ? { withoutDisks: true } : {};

/** Data of the page: the choice of an archive, or the form for the new VM. */
type Shown =
  | {
    readonly kind: "choice";
    readonly pools: Awaited<ReturnType<typeof poolsOf>>;
    readonly archives: readonly ArchiveVolume[];
    readonly failure: Failure | null;
    /** The archive that was refused because all its disks would be left out. */
    readonly diskless: { readonly pool: string; readonly volume: string } | null;
  }
  | ({ readonly kind: "preview" } & ImportOvaFormProps);

async function choice(
  api: Api,
  failure: Failure | null,
  archive: { readonly pool: string; readonly volume: string } | null = null,
): Promise<Shown> {
  const diskless = failure?.field === "withoutDisks" ? archive : null;
  const pools = await poolsOf(api);
  return { kind: "choice", pools, archives: await archivesOf(api, pools), failure, diskless };
}

async function shown(
  api: Api,
  params: URLSearchParams,
  typed: Readonly<Record<string, string>> = {},
  failure: Failure | null = null,
): Promise<Shown> {
  const pool = params.get("pool"), volume = params.get("volume");
  if (pool === null || volume === null) return await choice(api, failure);
  const archive = { pool, volume, ...diskChoice(params) };
  try {
    const preview = await api.inspectOva(archive);
    const [pools, options] = await Promise.all([poolsOf(api), api.getCreateOptions({})]);
    const networks = options.networks.map(({ name }) => name);
    return { kind: "preview", preview, archive, pools, networks, bridges: options.bridges, typed, failure };
  } catch (error) {
    return await choice(api, failure ?? failureOf(error), { pool, volume });
  }
}

export const handler = define.handlers({
  async GET({ state, url }) {
    return page(await shown(state.api, url.searchParams));
  },
  async POST(ctx) {
    const { state: { api }, url: { searchParams } } = ctx;
    const form = await postedForm(ctx.req);
    const archive = {
      pool: searchParams.get("pool") ?? "",
      volume: searchParams.get("volume") ?? "",
      ...diskChoice(searchParams),
    };
    try {
      const begun = await begin(
        api,
        "import_ova",
        SOON_MS,
        () => api.importOva(importOvaInput(form, archive)),
      );
      if (!begun.isOver) return ctx.redirect(begun.href, 303);
      const { vmId, name } = begun.result;
      ctx.state.notify({ is: "done", word: "import_ova", name, warnings: answerWarnings(begun.result) });
      return ctx.redirect(`/vms/${encodeURIComponent(vmId)}`, 303);
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(api, searchParams, typedFields(form), failure), { status: failure.status });
    }
  },
});

/** Bringing a VM in from an archive. */
export default define.page<typeof handler>(function ImportOva({ data, url }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: own.t("ova.title") })}</title>
      </Head>
      {data.kind === "preview" ? <ImportOvaForm {...data} /> : (
        <div class="storage-stack">
          <header class="page-head">
            <h1>{own.t("ova.title")}</h1>
            <span class="actions">
              <a class="button" href="/vms/import">{own.t("ova.xml")}</a>
            </span>
          </header>
          <p>{own.t("ova.what")}</p>
          <Flash tone="bad" failure={data.failure} />
          {data.diskless !== null && <WithoutDisks {...data.diskless} />}
          {data.pools[0] !== undefined && (
            <OvaUpload pools={data.pools} pool={data.pools[0].value} server={url.origin} />
          )}
          <ArchiveTable archives={data.archives} />
        </div>
      )}
    </>
  );
});
