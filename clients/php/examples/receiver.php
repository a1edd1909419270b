<?php

// Receives callbacks and writes those of the server to its log: WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:8090 examples/receiver.php
// The callback_url is then http://127.0.0.1:8090/; the server must be allowed to reach it (SAVEPAGE_EGRESS_ALLOW=127.0.0.0/8).

declare(strict_types=1);

use SavePage\Webhook;

require __DIR__ . '/../autoload.php'; // with Composer: vendor/autoload.php

$body = (string) file_get_contents('php://input'); // the raw bytes: parsed and written again they would be others
if (!Webhook::verify([(string) getenv('WEBHOOK_SECRET')], getallheaders(), $body)) {
    http_response_code(401);
    return;
}
$event = json_decode($body, true);
error_log("{$event['status']} {$event['image']}");
