import type { CatalogImage } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/format/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../Icon.tsx";
import { Label } from "../storage/PoolParts.tsx";

const { t } = textsOf(texts);

/** Props of {@link CatalogTable}. */
export interface CatalogTableProps {
  images: readonly CatalogImage[];
  /** Id of an image → the pool that has it already. */
  have: Readonly<Record<string, string>>;
  enabled: boolean;
}

/** The catalogue, each image with a button that downloads it: the table is part of a form. */
export function CatalogTable({ images, have, enabled }: CatalogTableProps) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("images.catalog")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("images.name")}</th>
            <th scope="col">{t("images.arch")}</th>
            <th scope="col">{t("images.user")}</th>
            <th scope="col">{t("images.from")}</th>
            <th scope="col">
              <span class="visually-hidden">{t("images.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {images.map(({ id, name, arch, user, url }) => {
            const shown = oneLine(`${name} ${arch}`, 80);
            return (
              <tr key={id} data-catalog={id}>
                <th scope="row">
                  <bdi>{oneLine(name, 80)}</bdi>
                </th>
                <td>
                  <Label text={t("images.arch")} />
                  {arch}
                </td>
                <td class={user === undefined ? "empty-cell" : undefined}>
                  <Label text={t("images.user")} />
                  {user === undefined ? "–" : <span class="mono">{user}</span>}
                </td>
                <td>
                  <Label text={t("images.from")} />
                  <span title={oneLine(url)}>{URL.parse(url)?.host ?? ""}</span>
                </td>
                <td class={Object.hasOwn(have, id) ? "image-have" : "device-verbs"}>
                  {Object.hasOwn(have, id)
                    ? (
                      <>
                        <Icon name="check" /> {t("images.have", { pool: oneLine(have[id]!, 40) })}
                      </>
                    )
                    : (
                      <span>
                        <button
                          type="submit"
                          class="button ghost"
                          name="catalogId"
                          value={id}
                          disabled={!enabled}
                          aria-label={t("images.verb_of", { verb: t("images.download"), name: shown })}
                        >
                          {t("images.download")}
                        </button>
                      </span>
                    )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
