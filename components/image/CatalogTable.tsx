import type { CatalogImage, Image } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { DataTable } from "../kit/DataTable.tsx";

const { t } = textsOf(texts);

/** Props of {@link CatalogTable}. */
export interface CatalogTableProps {
  images: readonly CatalogImage[];
  /** Id of an image → the one that is here already. */
  have: Readonly<Record<string, Pick<Image, "pool">>>;
  enabled: boolean;
}

/** The catalogue, each image with a button that downloads it: the table is part of a form. */
export function CatalogTable({ images, have, enabled }: CatalogTableProps) {
  return (
    <DataTable
      label={t("images.catalog")}
      rows={images}
      keyOf={({ id }) => id}
      attributesOf={({ id }) => ({ "data-catalog": id })}
      columns={[
        { title: t("images.name"), cell: ({ name }) => <bdi>{oneLine(name, 80)}</bdi> },
        { title: t("images.arch"), cell: ({ arch }) => arch },
        { title: t("images.user"), kind: "code", cell: ({ user }) => user },
        {
          title: t("images.from"),
          cell: ({ url }) => <span title={oneLine(url)}>{URL.parse(url)?.host ?? ""}</span>,
        },
        {
          title: t("images.actions"),
          kind: "actions",
          cell: ({ id, name, arch }) =>
            Object.hasOwn(have, id)
              ? (
                <span class="image-have">
                  <Icon name="check" /> {t("images.have", { pool: oneLine(have[id]!.pool, 40) })}
                </span>
              )
              : (
                <button
                  type="submit"
                  class="button ghost"
                  name="catalogId"
                  value={id}
                  disabled={!enabled}
                  aria-label={t("images.verb_of", {
                    verb: t("images.download"),
                    name: oneLine(`${name} ${arch}`, 80),
                  })}
                >
                  {t("images.download")}
                </button>
              ),
        },
      ]}
    />
  );
}
