// Renders what it reads, a job a line, as puppeteer's users mostly do: networkidle0, then a picture or a print. It says for
// each how long it took and what went wrong.
// Usage: node peer.mjs NODE_MODULES BROWSER
import {createInterface} from 'node:readline';

const [packages, executablePath] = process.argv.slice(2);
const {default: puppeteer} = await import(packages + '/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js');
const browser = await puppeteer.launch({executablePath, headless: 'shell', args: ['--no-sandbox']});

const render = async job => {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.setViewport(job.viewport);
    if (job.userAgent) await page.setUserAgent(job.userAgent);
    const until = {waitUntil: 'networkidle0', timeout: job.timeout};
    if (job.html) await page.setContent(job.html, until); else await page.goto(job.url, until);
    if (job.pdf) await page.pdf({path: job.path, printBackground: true}); else await page.screenshot({path: job.path, fullPage: job.fullPage});
  } finally {
    await context.close();
  }
};

for await (const line of createInterface({input: process.stdin})) {
  const job = JSON.parse(line), began = performance.now();
  let error = '';
  await render(job).catch(e => { error = String(e.message); });
  console.log(JSON.stringify({ms: performance.now() - began, error}));
}
await browser.close();
