// Passkeys: a form with data-passkey="get" or "create" is filled in with what the device signs, then sent as any other.
//
// What cannot be done here is left to the server to say: if it gives no challenge, the form is sent as it is, and the
// page that comes back tells what is wrong. Words stand in the page, where they are translated.

const decode = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

// The browsers' own conversions to and from JSON are too new to rely on.
const readable = (options) => ({
  ...options,
  challenge: decode(options.challenge),
  ...(options.user && { user: { ...options.user, id: decode(options.user.id) } }),
  ...(options.excludeCredentials && {
    excludeCredentials: options.excludeCredentials.map((each) => ({ ...each, id: decode(each.id) })),
  }),
});

const PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

const writable = (credential) => {
  const response = {};
  for (const part of PARTS) {
    if (credential.response[part]) {
      response[part] = encode(credential.response[part]);
    }
  }
  return JSON.stringify({ id: credential.id, rawId: encode(credential.rawId), type: credential.type, response });
};

async function fill(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.passkeyOptions, { method: "POST", body });
  if (answer.ok) {
    const publicKey = readable(await answer.json());
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
    form.elements.credential.value = writable(credential);
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.passkey) {
    return;
  }
  event.preventDefault();
  if (form.dataset.busy) {
    return;
  }
  form.dataset.busy = "yes";
  const trouble = form.querySelector("[data-passkey-trouble] > div");
  trouble.hidden = true;
  try {
    await fill(form);
    form.submit(); // without this event
  } catch {
    trouble.hidden = false; // somebody closed the browser's window, or it knows no passkeys
  }
  delete form.dataset.busy;
});
