import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../../components/Empty.tsx";
import { SelectField } from "../../components/Field.tsx";
import { CatalogTable } from "../../components/images/CatalogTable.tsx";
import { ImagesFailure, ImageTabs } from "../../components/images/ImageParts.tsx";
import { Panel } from "../../components/Panel.tsx";
import type { CatalogImage } from "../../lib/contract/mod.ts";
import { type Failure, failureOf } from "../../lib/format/failure.ts";
import { downloadInput, poolsForImages } from "../../lib/format/images.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);

/** Where the images of the catalogue are already, by the names they are downloaded under. */
function held(catalog: readonly CatalogImage[], images: readonly { name: string; pool: string }[]) {
  const pools = new Map(images.map(({ name, pool }) => [name, pool]));
  return Object.fromEntries(catalog.flatMap(({ id, url }) => {
    const file = url.slice(url.lastIndexOf("/") + 1).replace(/\.(gz|xz|zst|bz2)$/, "");
    const pool = pools.get(file);
    return pool === undefined ? [] : [[id, pool]];
  }));
}

async function shown(api: PageState["api"], pool: string, failed: Failure | null) {
  const [pools, { images }] = await Promise.all([api.getStoragePools(), api.listImages()]).catch(fail);
  let catalog: CatalogImage[] = [], failure = failed;
  try {
    catalog = await api.listImageCatalog();
  } catch (error) {
    failure = failureOf(error);
  }
  return { pools: poolsForImages(pools), catalog, have: held(catalog, images), pool, failure };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state.api, "", null));
  },
  async POST(ctx) {
    const form = await ctx.req.formData();
    try {
      await ctx.state.api.downloadImage(downloadInput(form));
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(ctx.state.api, String(form.get("pool") ?? ""), failure), {
        status: failure.status,
      });
    }
    return ctx.redirect("/images?done=download", 303);
  },
});

/** The catalogue of cloud images. */
export default define.page<typeof handler>(function Catalog({ data, state }) {
  const { pools, catalog, have, pool, failure } = data;
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("images.catalog") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("images.catalog")}</h1>
      </header>
      <ImageTabs at="/images/catalog" />
      <p class="mode-what">{t("images.catalog_what")}</p>
      <ImagesFailure failure={failure} title="images.download_failed" />
      {catalog.length === 0
        ? <Empty icon="disc" title={t("images.catalog_none")} />
        : (
          <form method="post" action="/images/catalog">
            <Panel title={t("images.catalog")}>
              {pools.length === 0 ? <p class="calm">{t("images.no_pools")}</p> : (
                <div class="form-grid">
                  <SelectField
                    label={t("images.catalog_into")}
                    name="pool"
                    choices={pools.map((each) => ({ value: each, label: each }))}
                    value={pool === "" ? pools[0]! : pool}
                  />
                </div>
              )}
              <CatalogTable
                images={catalog}
                have={have}
                enabled={state.connection.connected && pools.length > 0}
              />
            </Panel>
          </form>
        )}
    </>
  );
});
