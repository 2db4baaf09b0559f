// All layers.
#pragma once

#include "nn/activations.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/conv_block.h"
#include "nn/conv_transpose2d.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/sequential.h"
#include "nn/shape_layers.h"
