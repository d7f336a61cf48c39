import type { Image } from "../../lib/contract/mod.ts";
import { isFree } from "../../lib/image/images.ts";
import { newVmHref } from "../../lib/image/new_vm_href.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { UsedBy } from "../storage/PoolParts.tsx";
import { copyVolumeHref, poolHref } from "../../lib/storage/pool_href.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { type RowVerb, RowVerbs } from "../kit/RowVerbs.tsx";

const { t } = textsOf(texts);

/** The address that asks whether to delete an image. */
const deleteHref = ({ pool, name }: Image) =>
  `/images?${new URLSearchParams({ do: "delete", pool, image: name })}`;

/** Actions for an image: one that a VM writes to or that other images depend on is not given away or deleted. */
function verbsOf(image: Image): RowVerb[] {
  const name = oneLine(image.name, 60);
  const free = isFree(image);
  const create = {
    text: t("images.new_vm"),
    label: t("images.new_vm_from", { name }),
    href: newVmHref(image),
  };
  const verb = t("images.delete");
  const remove = {
    text: verb,
    label: t("images.verb_of", { verb, name }),
    href: deleteHref(image),
    danger: true,
  };
  const copy = { text: t("images.copy"), href: copyVolumeHref(image.pool, image.name) };
  return [
    ...(image.kind === "iso" || free ? [create] : []),
    { ...copy, label: t("images.copy_of", { name }) },
    ...(free ? [remove] : []),
  ];
}

/** The images of a page. */
export function ImageTable({ images, enabled }: { images: readonly Image[]; enabled: boolean }) {
  return (
    <DataTable
      label={t("images.list")}
      rows={images}
      keyOf={({ pool, name }) => `${pool}/${name}`}
      attributesOf={({ name }) => ({ "data-image": name })}
      columns={[
        {
          title: t("images.name"),
          fit: "wide",
          cell: (image) => (
            <>
              <bdi class="ellipsis" title={oneLine(image.path)}>{oneLine(image.name)}</bdi>
              <small>
                {image.kind === "iso" ? t("images.iso") : oneLine(image.format ?? t("images.kind_disk"), 20)}
                {image.isBase && ` · ${t("images.base")}`}
              </small>
            </>
          ),
        },
        {
          title: t("images.os"),
          cell: ({ osName }) => osName === undefined ? null : oneLine(osName, 60),
        },
        {
          title: t("images.pool"),
          cell: ({ pool }) => (
            <a href={poolHref(pool)}>
              <TruncatedText text={pool} longest={40} />
            </a>
          ),
        },
        {
          title: t("images.size"),
          kind: "number",
          cell: (image) => (
            <>
              {formatBytes(image.sizeBytes)}
              {image.kind === "disk" && (
                <small>{t("images.virtual", { size: formatBytes(image.virtualBytes) })}</small>
              )}
            </>
          ),
        },
        {
          title: t("images.used_by"),
          cell: ({ usedBy }) => usedBy.length > 0 && <UsedBy users={usedBy} />,
        },
        {
          title: t("images.actions"),
          kind: "actions",
          cell: (image) => (
            <RowVerbs name={oneLine(image.name, 60)} verbs={verbsOf(image)} enabled={enabled} />
          ),
        },
      ]}
    />
  );
}
