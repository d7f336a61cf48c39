import type { Image } from "../../lib/contract/mod.ts";
import { newVmHref } from "../../lib/format/images.ts";
import { formatBytes } from "../../lib/format/quantity.ts";
import { oneLine } from "../../lib/format/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { ActLink } from "../ActLink.tsx";
import { Name } from "../Name.tsx";
import { Label, poolHref, UsedBy } from "../storage/PoolParts.tsx";

const { t } = textsOf(texts);

/** The address that asks whether to delete an image. */
const deleteHref = ({ pool, name }: Image) =>
  `/images?${new URLSearchParams({ do: "delete", pool, image: name })}`;

/** The images of a page. */
export function ImageTable({ images, enabled }: { images: readonly Image[]; enabled: boolean }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("images.list")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("images.name")}</th>
            <th scope="col">{t("images.os")}</th>
            <th scope="col">{t("images.pool")}</th>
            <th scope="col" class="num">{t("images.size")}</th>
            <th scope="col">{t("images.used_by")}</th>
            <th scope="col">
              <span class="visually-hidden">{t("images.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {images.map((image) => (
            <tr key={`${image.pool}/${image.name}`} data-image={image.name}>
              <th scope="row" class="source">
                <bdi class="ellipsis" title={oneLine(image.path)}>{oneLine(image.name)}</bdi>
                <small>
                  {image.kind === "iso"
                    ? t("images.iso")
                    : oneLine(image.format ?? t("images.kind_disk"), 20)}
                  {image.isBase && ` · ${t("images.base")}`}
                </small>
              </th>
              <td class={image.osName === undefined ? "empty-cell" : undefined}>
                <Label text={t("images.os")} />
                {image.osName === undefined
                  ? <span class="muted">{t("images.os_unknown")}</span>
                  : oneLine(image.osName, 60)}
              </td>
              <td>
                <Label text={t("images.pool")} />
                <a href={poolHref(image.pool)}>
                  <Name text={image.pool} longest={40} />
                </a>
              </td>
              <td class="num">
                <Label text={t("images.size")} />
                {formatBytes(image.sizeBytes)}
                {image.kind === "disk" && (
                  <small>{t("images.virtual", { size: formatBytes(image.virtualBytes) })}</small>
                )}
              </td>
              <td class={image.usedBy.length === 0 ? "empty-cell" : undefined}>
                <Label text={t("images.used_by")} />
                <UsedBy users={image.usedBy} />
              </td>
              <td class="device-verbs">
                <span>
                  {(image.kind === "iso" || (image.usedBy.length === 0 && !image.isBase)) && (
                    <ActLink
                      class="button ghost"
                      href={newVmHref(image)}
                      enabled={enabled}
                      aria-label={t("images.new_vm_from", { name: oneLine(image.name, 60) })}
                    >
                      {t("images.new_vm")}
                    </ActLink>
                  )}
                  {image.usedBy.length === 0 && !image.isBase && (
                    <ActLink
                      class="button ghost danger"
                      href={deleteHref(image)}
                      enabled={enabled}
                      aria-label={t("images.verb_of", {
                        verb: t("images.delete"),
                        name: oneLine(image.name, 60),
                      })}
                    >
                      {t("images.delete")}
                    </ActLink>
                  )}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
