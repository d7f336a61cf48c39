import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../../components/kit/Empty.tsx";
import { SelectField } from "../../components/kit/Field.tsx";
import { CatalogCards } from "../../components/image/CatalogCards.tsx";
import { ImageTabs } from "../../components/image/ImageParts.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import type { CatalogImage } from "../../lib/contract/mod.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { typedAgain } from "../../lib/text/refused_form.ts";
import { heldImages, poolsForImages } from "../../lib/image/images.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { storageLack } from "../(_shared)/ready.ts";
import { NotReadyBar } from "../../components/host/ReadySteps.tsx";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);
const AT = "/images/catalog";

async function shown({ api, may }: PageState) {
  const [pools, { images }, options] = await Promise.all([
    api.getStoragePools(),
    api.listImages({ vmDisks: true }),
    may("get_create_options") ? api.getCreateOptions() : undefined,
  ]).catch(fail);
  let catalog: CatalogImage[] = [], failure: Failure | null = null;
  try {
    catalog = await api.listImageCatalog();
  } catch (error) {
    failure = failureOf(error);
  }
  const have = heldImages(catalog, images);
  return {
    pools: poolsForImages(pools),
    lack: storageLack({ may }, pools, AT, "files"),
    catalog,
    have,
    arch: options?.arch,
    failure,
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
});

/** The catalogue of cloud images. */
export default define.page<typeof handler>(function Catalog({ data, state }) {
  const { pools, lack, catalog, have, arch, failure } = data;
  const pool = typedAgain(state.refused, "download_image")?.pool ?? "";
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("images.catalog") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("images.catalog")}</h1>
      </header>
      <ImageTabs at={AT} />
      <NotReadyBar lack={lack} />
      <p class="mode-what">{t("images.catalog_what")}</p>
      <Flash tone="bad" title={t("images.catalog_failed")} failure={failure} />
      {catalog.length === 0
        ? <Empty icon="disc" title={t("images.catalog_none")} />
        : (
          <form method="post" action={formHref("download_image", {}, "/images", AT)}>
            <Panel title={t("images.catalog")}>
              {pools.length > 0 && (
                <div class="form-grid">
                  <SelectField
                    label={t("images.catalog_into")}
                    name="pool"
                    choices={pools.map((each) => ({ value: each, label: each }))}
                    value={pool === "" ? pools[0]! : pool}
                  />
                </div>
              )}
              <CatalogCards
                images={catalog}
                have={have}
                arch={arch}
                enabled={state.connection.connected && pools.length > 0 && state.may("download_image")}
                mayCreate={state.may("create_vm")}
              />
            </Panel>
          </form>
        )}
    </>
  );
});
