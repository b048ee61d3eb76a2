# For people without CMake: the same sources and flags as CMakeLists.txt. gyp has no flags per file, so the AVX2 and the
# AVX-512 kernels are libraries of their own.
{
  "target_defaults": {
    "include_dirs": ["native"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti", "-fno-omit-frame-pointer"],
    "cflags_cc": [
      "-std=c++20", "-O3", "-Wall", "-Wextra", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
      "-fvisibility=hidden", "-fvisibility-inlines-hidden"
    ],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "GCC_ENABLE_CPP_RTTI": "YES",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
    },
    "msvs_settings": { "VCCLCompilerTool": { "ExceptionHandling": 1, "AdditionalOptions": ["/std:c++20"] } },
    "conditions": [
      ["target_arch=='x64'", { "defines": ["NABLA_HAVE_AVX2", "NABLA_HAVE_AVX512"] }],
      ["target_arch=='arm64'", { "defines": ["NABLA_HAVE_NEON"] }]
    ]
  },
  "targets": [
    {
      "target_name": "nabla",
      "sources": ["<!@(node -p \"require('./native/sources.json').common.join(' ')\")"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "conditions": [
        ["target_arch=='x64'", { "dependencies": ["nabla_avx2", "nabla_avx512"] }],
        ["target_arch=='arm64'", { "sources": ["<!@(node -p \"require('./native/sources.json').arm64_neon.join(' ')\")"] }],
        ["OS=='linux'", {
          "ldflags": [
            "-s", "-Wl,-z,nodelete", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,--version-script=<(module_root_dir)/native/exports.map",
            "-static-libstdc++", "-Wl,--gc-sections"
          ]
        }]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "nabla_avx2",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').x64_avx2.join(' ')\")"],
          "cflags_cc": ["-mavx2", "-mfma"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma"] },
          "msvs_settings": { "VCCLCompilerTool": { "EnableEnhancedInstructionSet": 5 } }
        },
        {
          "target_name": "nabla_avx512",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').x64_avx512.join(' ')\")"],
          "cflags_cc": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"] },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/arch:AVX512"] } }
        }
      ]
    }]
  ]
}
