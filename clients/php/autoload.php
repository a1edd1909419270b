<?php

// Loads the classes of the client where there is no Composer: require 'clients/php/autoload.php';

spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, strlen('SavePage\\'))) . '.php';
    if (str_starts_with($class, 'SavePage\\') && is_file($file)) {
        require $file;
    }
});
