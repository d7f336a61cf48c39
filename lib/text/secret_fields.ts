/** Fields of forms whose text is neither kept nor sent back. Pure. */

/** The last part of their names: passwords, codes, and texts of cloud-init that may have some in them. */
const SECRET = /(?:password|passphrase)$|^(?:code|userData|runCommands|networkConfig)$/i;

/** Whether a field of a form, by its name (`ci.form.users.0.password`), holds a secret. */
export const isSecretName = (name: string): boolean => SECRET.test(name.slice(name.lastIndexOf(".") + 1));
