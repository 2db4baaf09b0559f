// All layers.
#pragma once

#include "nn/activations.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/conv_block.h"
#include "nn/conv_transpose2d.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/group_norm.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/pooling.h"
#include "nn/prelu.h"
#include "nn/residual.h"
#include "nn/resizing.h"
#include "nn/sequential.h"
#include "nn/shape_layers.h"
