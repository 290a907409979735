// A person with a browser: opens a page of an OpenID Connect provider, signs in by its form, agrees to what it asks, and
// ends at the command line's port.
//   node openid_person.mjs URL CA_FILE [LOGIN]
// Without LOGIN the person turns back.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [url, caFile, login] = process.argv.slice(2);
const ca = readFileSync(caFile);
const cookies = new Map();

// One request; keeps the cookies of the provider and shows them to nobody else.
function ask(target, form) {
  const secure = target.protocol === 'https:';
  const body = form && new URLSearchParams(form).toString();
  const headers = {};
  if (secure) headers.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  if (body) headers['content-type'] = 'application/x-www-form-urlencoded';
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(target, { method: body ? 'POST' : 'GET', headers, ca }, (response) => {
      for (const cookie of (secure && response.headers['set-cookie']) || []) {
        const [name, value] = cookie.split(';')[0].split('=');
        cookies.set(name, value);
      }
      let text = '';
      response.on('data', (data) => { text += data; });
      response.on('end', () => resolve({ status: response.statusCode, location: response.headers.location, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

// The form of a page, filled in; or the page to go to.
function fill(page, from) {
  const attribute = (tag, name) => tag.match(new RegExp(`${name}="([^"]*)"`))?.[1];
  if (!login) return { target: new URL(page.match(/href="([^"]*\/abort)"/)[1], from) };
  const form = Object.fromEntries([...page.matchAll(/<input[^>]*>/g)]
      .map(([tag]) => [attribute(tag, 'name'), attribute(tag, 'value') ?? ''])
      .filter(([name]) => name));
  if ('login' in form) Object.assign(form, { login, password: 'any' });
  return { target: new URL(attribute(page.match(/<form[^>]*>/)[0], 'action'), from), form };
}

let next = { target: new URL(url) };
for (let step = 0; step < 20; ++step) {
  const answer = await ask(next.target, next.form);
  if (next.target.protocol === 'http:') process.exit(answer.status === 200 ? 0 : 1);
  if (answer.location) {
    next = { target: new URL(answer.location, next.target) };
  } else if (answer.status === 200) {
    next = fill(answer.text, next.target);
  } else {
    console.error(`${next.target} answers with ${answer.status}: ${answer.text}`);
    process.exit(1);
  }
}
process.exit(1);
