// The only script of these pages: it asks the browser for a passkey where a form wants one (`data-passkey`), puts the answer into the form and sends it.
// Everything else on the pages works without it.
(() => {
  const forms = document.querySelectorAll('form[data-passkey]');
  const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined && PublicKeyCredential.prototype.toJSON !== undefined;
  if (forms.length === 0 || !able) return;
  let waiting; // for a passkey that is picked in the user name's field

  async function challengeFor(form) {
    const fields = new URLSearchParams(new FormData(form));
    fields.set('purpose', form.dataset.passkey);
    const answer = await fetch('/passkeys/challenge', { method: 'POST', body: fields });
    if (!answer.ok) throw new Error('no challenge');
    return answer.json();
  }

  async function ask(form, more) {
    const { ticket, options } = await challengeFor(form);
    const credential =
      form.dataset.passkey === 'add'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...more });
    form.elements.challenge.value = ticket;
    form.elements.response.value = JSON.stringify(credential.toJSON());
    form.submit();
  }

  for (const missing of document.querySelectorAll('[data-passkey-missing]')) missing.hidden = true;
  for (const form of forms) {
    const button = form.querySelector('button');
    const trouble = form.querySelector('[data-trouble]');
    form.hidden = false;
    form.addEventListener('submit', event => {
      event.preventDefault();
      waiting?.abort();
      trouble.textContent = '';
      button.disabled = true;
      ask(form).catch(() => {
        button.disabled = false;
        trouble.textContent = 'That did not work, or it was stopped. You can try again.';
      });
    });
    if (form.dataset.passkey === 'sign-in')
      PublicKeyCredential.isConditionalMediationAvailable?.().then(offered => {
        if (!offered) return;
        waiting = new AbortController();
        ask(form, { mediation: 'conditional', signal: waiting.signal }).catch(() => undefined);
      });
  }
})();
