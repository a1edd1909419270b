<?php

// Uses the client against a live server. BASE, KEY, PAGE, WEBHOOK_SECRET, LINK_SECRET and VECTORS say which; BREAKING is the server
// behind a proxy that breaks the first connection of events, SILENT a server that never answers, RECEIVER the example that receives
// callbacks.

declare(strict_types=1);

use SavePage\Client;
use SavePage\ConnectionException;
use SavePage\Link;
use SavePage\SavePageException;
use SavePage\TimeoutException;
use SavePage\Webhook;

set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    if ((error_reporting() & $level) === 0) {
        return false; // where the client expects it
    }
    throw new ErrorException($message, 0, $level, $file, $line);
});

// As Composer does it.
$composer = json_decode((string) file_get_contents(__DIR__ . '/../composer.json'), true);
spl_autoload_register(static function (string $class) use ($composer): void {
    foreach ($composer['autoload']['psr-4'] as $prefix => $folder) {
        require __DIR__ . "/../$folder" . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
    }
});

function env(string $name): string
{
    return getenv($name) ?: throw new LogicException("$name is not set");
}

function same(mixed $want, mixed $got, string $what = ''): void
{
    if ($want !== $got) {
        throw new LogicException(trim("$what: want ") . ' ' . var_export($want, true) . ', got ' . var_export($got, true));
    }
}

/**
 * The exception that a call must end with.
 *
 * @template E of Throwable
 * @param class-string<E> $kind
 * @return E
 */
function fault(string $kind, callable $call): Throwable
{
    try {
        $call();
    } catch (Throwable $error) {
        return $error instanceof $kind ? $error : throw $error;
    }
    throw new LogicException("no $kind");
}

/** @return array{0: int, 1: string} what an example ended with and said, in the current folder */
function example(string $name, string ...$args): array
{
    $command = array_map('escapeshellarg', [PHP_BINARY, __DIR__ . "/../examples/$name.php", ...$args]);
    exec(implode(' ', $command) . ' 2>&1', $lines, $code);
    return [$code, implode("\n", $lines)];
}

const PNG = "\x89PNG";
const VECTOR = 'lnk_0123456789Ab_0123456789abcdefghijABCDEFGHIJ01'; // of TestLinkVector in link_test.go

$client = new Client(env('BASE') . '/', env('KEY'));
$small = ['url' => env('PAGE'), 'width' => 320, 'height' => 240];

$tests = [
    'a capture comes with its picture, or without' => function () use ($client, $small): void {
        [$capture, $picture] = $client->picture($small);
        same(['success', 320, false], [$capture['status'], $capture['width'], isset($capture['image_base64'])]);
        same(PNG, substr($picture, 0, 4));
        same(PNG, substr($client->image($client->capture($small)), 0, 4));
    },
    'a capture is submitted once, watched, looked up and deleted' => function () use ($client, $small): void {
        $id = $client->submit($small, 'once')['capture_id'];
        same($id, $client->submit($small, 'once')['capture_id']);
        $events = iterator_to_array($client->watch($id), false);
        $last = end($events);
        same(['done', 'success', $id], [$last['name'], $last['data']['status'], $last['data']['capture_id']]);
        same('success', $client->wait($id)['status']);
        $client->cancel($id);
        same('not_found', fault(SavePageException::class, fn () => $client->get($id))->errorCode);
    },
    'a wait ends in time, and the capture goes on' => function () use ($client, $small): void {
        $id = $client->submit(['delay' => 30_000, 'timeout' => 60_000] + $small)['capture_id'];
        fault(TimeoutException::class, fn () => $client->wait($id, 0.1));
        foreach ($client->watch($id) as $event) {
            same($id, $event['data']['capture_id']);
            break;
        }
        $client->cancel($id);
        $error = fault(SavePageException::class, fn () => $client->wait($id));
        same(['conflict', $id], [$error->errorCode, $error->captureId]);
    },
    'events go on after a connection breaks' => function () use ($client, $small): void {
        $id = $client->submit(['delay' => 500] + $small)['capture_id'];
        $events = iterator_to_array((new Client(env('BREAKING'), env('KEY')))->watch($id), false);
        $ids = array_column($events, 'id');
        $sorted = array_unique($ids);
        sort($sorted);
        same($sorted, $ids);
        same('done', end($events)['name']);
    },
    'a batch' => function () use ($client): void {
        $batch = $client->submitBatch(['urls' => [env('PAGE'), env('PAGE') . '?2'], 'options' => ['width' => 320]]);
        same(2, $client->waitBatch($batch['batch_id'])['counts']['success']);
        $found = array_column(iterator_to_array($client->batchCaptures($batch['batch_id']), false), 'capture_id');
        sort($found);
        sort($batch['capture_ids']);
        same($batch['capture_ids'], $found);
    },
    'the inbox has what arrives, page by page, and answers as it is told' => function () use ($client, $small): void {
        $id = $client->submit(['callback_url' => Client::INBOX_URL . 'orders'] + $small)['capture_id'];
        $event = $client->waitInbox($id);
        same([true, '200', Client::INBOX_URL . 'orders'], [$event['verified'], $event['answer'], $event['url']]);
        same($id, json_decode($event['body'], true)['capture_id']);
        $batch = $client->submitBatch(['urls' => [env('PAGE')], 'batch_callback_url' => Client::INBOX_URL])['batch_id'];
        same('batch', $client->waitInbox($batch)['type']);
        $first = $client->inbox(1);
        same(false, $first['events'][0]['id'] === $client->inbox(1, $first['next_cursor'])['events'][0]['id']);
        $client->answerInbox('410');
        $client->emptyInbox();
        $inbox = $client->inbox();
        same(['410', []], [$inbox['answer'], $inbox['events']]);
        $client->answerInbox('200');
        fault(TimeoutException::class, fn () => $client->waitInbox('cap_x', 0.1));
    },
    'errors have code, field and request id' => function () use ($client, $small): void {
        $error = fault(SavePageException::class, fn () => $client->capture(['width' => 3] + $small));
        same(['invalid_request', 400, 'width', 1], [$error->errorCode, $error->status, $error->field(), count($error->errors)]);
        same(1, preg_match('/\S/', (string) $error->requestId));
        $error = fault(SavePageException::class, fn () => $client->capture(['url' => 'http://10.0.0.1/']));
        same(['address_blocked', 400], [$error->errorCode, $error->status]);
        $error = fault(SavePageException::class, fn () => (new Client(env('BASE'), 'sp_none'))->capture($small));
        same(['unauthorized', 401, null], [$error->errorCode, $error->status, $error->field()]);
    },
    'errors of a page are those of the capture' => function () use ($client): void {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $url = 'http://' . stream_socket_get_name($socket, false);
        fclose($socket); // nobody is there
        $id = $client->submit(['url' => $url])['capture_id'];
        $error = fault(SavePageException::class, fn () => $client->wait($id));
        same(['connection_failed', 0, $id], [$error->errorCode, $error->status, $error->captureId]);
        $error = fault(SavePageException::class, fn () => $client->capture(['url' => $url]));
        same(['connection_failed', 502], [$error->errorCode, $error->status]);
        fault(ConnectionException::class, fn () => (new Client($url, 'sp_none'))->get('cap_x'));
    },
    'a server that does not answer' => function (): void {
        fault(ConnectionException::class, fn () => (new Client(env('SILENT'), 'sp_none', 0.05))->get('cap_x'));
        fault(InvalidArgumentException::class, fn () => new Client('shots.example.com', ''));
    },
    'a link opens without a key' => function () use ($client, $small): void {
        $clip = ['x' => 0, 'y' => 0, 'width' => 9, 'height' => 9];
        $link = $client->link(env('LINK_SECRET'), ['hide' => ['.a', '#b'], 'clip' => $clip] + $small);
        same(PNG, substr((string) file_get_contents($link), 0, 4));
        $old = $client->link(env('LINK_SECRET'), $small, 1);
        file_get_contents($old, false, stream_context_create(['http' => ['ignore_errors' => true]]));
        same(true, str_contains($http_response_header[0], ' 403 '));
    },
    'a link is that of every client' => function (): void {
        $options = ['url' => 'https://example.com/a b?x=1&y=ü', 'width' => 800, 'hide' => ['.a', '#b'], 'css' => null];
        same(
            'https://shots.example.com/v1/image?hide=.a&hide=%23b&url=https%3A%2F%2Fexample.com%2Fa+b%3Fx%3D1%26y%3D%C3%BC&width=800'
                . '&exp=1900000000&sig=lnk_0123456789Ab.ba769e8093d39a98eb4ef7926243fed67da5c6a3461306b912d526a9694eec38',
            Link::sign('https://shots.example.com/', VECTOR, $options, 1900000000),
        );
        fault(InvalidArgumentException::class, fn () => Link::sign('https://shots.example.com', 'lnk_short', $options));
    },
    'callbacks are judged as the vectors say' => function (): void {
        $vectors = json_decode((string) file_get_contents(env('VECTORS')), true)['vectors'];
        same(true, count($vectors) >= 30);
        foreach ($vectors as $v) {
            same($v['webhook'], Webhook::verify($v['secrets'], $v['headers'], $v['body'], $v['now']), $v['name']);
            same($v['x_signature'], Webhook::verifySignature($v['secrets'], $v['headers']['X-Signature'] ?? '', $v['body']), $v['name']);
        }
        foreach (['', 'whsec_', 'whsec_?', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] as $secret) {
            fault(InvalidArgumentException::class, fn () => Webhook::verify([$secret], [], ''));
            fault(InvalidArgumentException::class, fn () => Webhook::verifySignature([$secret], '', ''));
        }
    },
    'the example captures a page, and says what is wrong' => function (): void {
        [$code, $said] = example('capture', env('PAGE'));
        same(0, $code, $said);
        same(1, preg_match('/\ndone\npage\.png: 1440 × \d+, the page answered 200$/', $said), $said);
        same(PNG, substr((string) file_get_contents('page.png'), 0, 4));
        [$code, $said] = example('capture', 'ftp://example.com');
        same(1, $code);
        same(1, preg_match('/^invalid_request: .*field url, request \S+\)$/', $said), $said);
    },
    'the example captures a list' => function (): void {
        [$code, $said] = example('batch', env('PAGE'), env('PAGE') . '?2');
        same(0, $code, $said);
        same(2, count((array) glob('cap_*.webp')));
    },
    'the example tries a callback in the inbox' => function (): void {
        [$code, $said] = example('inbox', env('PAGE'));
        same(0, $code, $said);
        same(1, preg_match('/^verified after \d+ ms, answered 200\n.*webhook-signature matches\.\n.*success$/s', $said), $said);
    },
    'the example receives a callback' => function () use ($client, $small): void {
        $id = $client->submit(['callback_url' => env('RECEIVER')] + $small)['capture_id'];
        do {
            $delivery = $client->get($id)['deliveries'][0] ?? ['state' => 'pending', 'attempts' => []];
            same([], array_filter($delivery['attempts'] ?? [], fn ($one) => ($one['status'] ?? 0) !== 200));
            usleep(20_000);
        } while ($delivery['state'] !== 'delivered');
        $context = stream_context_create(['http' => [
            'method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => '{}', 'ignore_errors' => true,
        ]]);
        same('', file_get_contents(env('RECEIVER'), false, $context));
        same(true, str_contains($http_response_header[0], ' 401 '));
    },
];

$failed = 0;
foreach ($tests as $name => $test) {
    $began = microtime(true);
    try {
        $test();
        printf("passed: %s (%.1f s)\n", $name, microtime(true) - $began);
    } catch (Throwable $error) {
        $failed++;
        echo "FAILED: $name: $error\n";
    }
}
exit($failed === 0 ? 0 : 1);
