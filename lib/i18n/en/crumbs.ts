/** Steps of the way to a page that no tab and no entry of the sidebar names. */
export const crumbs = {
  "crumbs.rename": "Rename",
  "crumbs.clone": "Clone",
  "crumbs.import": "Import",
  "crumbs.image_new": "Add from a URL",
  "crumbs.image_catalog": "Catalogue",
  "crumbs.image_rules": "Rules for downloads",
  "crumbs.account": "My account",
  "crumbs.tokens": "API tokens",
  "crumbs.sessions": "Sessions",
  "crumbs.users": "Users",
  "crumbs.roles": "Roles",
  "crumbs.audit": "Audit log",
  "crumbs.certificate": "Certificate",
  "crumbs.health": "Health",
} as const;
