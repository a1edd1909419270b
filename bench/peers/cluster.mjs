// Serves pictures of pages by puppeteer-cluster: GET /?url=ADDRESS answers with a png of the viewport, with whole=1 of the whole
// page. It prints its address when it is ready, and ends with its standard input.
// Usage: node --input-type=module -e "$(cat cluster.mjs)" NODE_MODULES BROWSER PAGES
import {createRequire} from 'node:module';
import {createServer} from 'node:http';

const [packages, executablePath, pages] = process.argv.slice(1);
const require = createRequire(packages + '/');
const puppeteer = require('puppeteer'), {Cluster} = require('puppeteer-cluster');

const cluster = await Cluster.launch({
  puppeteer, concurrency: Cluster.CONCURRENCY_CONTEXT, maxConcurrency: Number(pages), timeout: 60_000,
  puppeteerOptions: {executablePath, headless: 'shell', args: ['--no-sandbox'], defaultViewport: {width: 1440, height: 900}},
});
await cluster.task(async ({page, data: {url, whole}}) => {
  await page.goto(url, {waitUntil: 'load'});
  return page.screenshot({type: 'png', optimizeForSpeed: true, fullPage: whole});
});

const server = createServer(async (request, answer) => {
  const asked = new URL(request.url, 'http://localhost').searchParams;
  try {
    const picture = await cluster.execute({url: asked.get('url'), whole: asked.has('whole')});
    answer.writeHead(200, {'Content-Type': 'image/png', 'Content-Length': picture.length}).end(picture);
  } catch (e) {
    answer.writeHead(500).end(String(e));
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', async () => {
  server.close();
  await cluster.close();
  process.exit(0);
});
